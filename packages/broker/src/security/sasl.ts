/**
 * SASL as a server speaks it: one exchange of one connection, step by step.
 */
export interface SaslServer {
  /** Whom the client has said it is so far, if its mechanism tells: nobody has proved it. */
  readonly claimedUser?: string | undefined
  /** Answers the client's next message. Throws `AuthenticationFailed`; what else it throws is a defect. */
  respond(message: Uint8Array): SaslStep | Promise<SaslStep>
}

export interface SaslStep {
  readonly answer: Uint8Array
  /** Present when the exchange is over and good. */
  readonly authenticated?: Authenticated
}

export interface Authenticated {
  readonly user: string
  /** The wall-clock time at which what it showed ends, such as a token. */
  readonly expiresAt?: number
  /** It showed a delegation token of the user: enough for all but asking for more tokens (KIP-48). */
  readonly byToken?: boolean
}

/** The client is told this much and no more: nothing in it helps whoever guesses. */
export class AuthenticationFailed extends Error {
  override readonly name = "AuthenticationFailed"
}

/** Makes the exchange of one mechanism. */
export type SaslServerFactory = () => SaslServer

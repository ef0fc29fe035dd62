/**
 * Who is at the other end of a SASL connection: the states of one connection's authentication.
 *
 *   handshake ──mechanism──> exchange ──good──> authenticated ──handshake──> exchange (KIP-368) ──good──> authenticated
 *                               └──bad──> failed: the connection ends
 *
 * Until it is authenticated a connection may ask for versions and authenticate, and nothing else; once what it showed has
 * expired, it may only authenticate again, with the mechanism and as the user that it was. Time comes in with each call.
 */
import { AuthenticationFailed, type SaslServer, type SaslServerFactory } from "./sasl.ts"

export interface AuthenticationOptions {
  readonly mechanisms: ReadonlyMap<string, SaslServerFactory>
  /** connections.max.reauth.ms: how long an authentication is good for; 0 for ever. */
  readonly lifetimeMsMax: number
}

/** Why a handshake is refused. */
export type HandshakeRefusal = "unsupported mechanism" | "illegal state"

export interface AuthenticationStep {
  readonly answer: Uint8Array
  /** Milliseconds that the authentication is good for; 0 while it goes on, or without an end. */
  readonly lifetimeMs: number
}

export class Authentication {
  readonly #options: AuthenticationOptions
  #mechanism: string | undefined
  #exchange: SaslServer | undefined
  #user: string | undefined
  #byToken = false
  #expiresAt = Infinity
  /** The mechanism's messages come without a header, as they are: after a handshake of version 0. */
  #isRaw = false

  constructor(options: AuthenticationOptions) {
    this.#options = options
  }

  get mechanisms(): readonly string[] {
    return [...this.#options.mechanisms.keys()]
  }

  /** Undefined until it is proved. */
  get user(): string | undefined {
    return this.#user
  }

  /** Whom the client says it is, while that is not proved. */
  get claimedUser(): string | undefined {
    return this.#exchange?.claimedUser
  }

  /** The user was proved by a delegation token. */
  get byToken(): boolean {
    return this.#byToken
  }

  get expectsToken(): boolean {
    return this.#isRaw && this.#exchange !== undefined
  }

  /** It may ask for what needs to be known who it is. */
  isGood(now: number): boolean {
    return this.#user !== undefined && this.#exchange === undefined && now < this.#expiresAt
  }

  handshake(mechanism: string, isRaw: boolean): HandshakeRefusal | undefined {
    if (this.#exchange !== undefined) return "illegal state"
    const factory = this.#options.mechanisms.get(mechanism)
    if (factory === undefined) return "unsupported mechanism"
    if (this.#user !== undefined && (this.#mechanism !== mechanism || isRaw)) return "illegal state"
    this.#mechanism = mechanism
    this.#isRaw = isRaw
    this.#exchange = factory()
    return undefined
  }

  /** Undefined when there was no handshake. Throws `AuthenticationFailed`. */
  async step(message: Uint8Array, now: () => number): Promise<AuthenticationStep | undefined> {
    if (this.#exchange === undefined) return undefined
    const { answer, authenticated } = await this.#exchange.respond(message)
    if (authenticated === undefined) return { answer, lifetimeMs: 0 }
    if (this.#user !== undefined && this.#user !== authenticated.user)
      throw new AuthenticationFailed("Cannot change principals during re-authentication")
    this.#user = authenticated.user
    this.#byToken = authenticated.byToken ?? false
    this.#exchange = undefined
    const at = now()
    const byToken = (authenticated.expiresAt ?? Infinity) - at
    const byLimit = this.#options.lifetimeMsMax > 0 ? this.#options.lifetimeMsMax : Infinity
    const lifetimeMs = Math.max(0, Math.floor(Math.min(byToken, byLimit)))
    this.#expiresAt = at + lifetimeMs
    return { answer, lifetimeMs: Number.isSafeInteger(lifetimeMs) ? lifetimeMs : 0 }
  }
}

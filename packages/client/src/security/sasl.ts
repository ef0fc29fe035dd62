/**
 * SASL as a client speaks it: what to say first, and what to say to each answer.
 *
 *   PLAIN          user and password as they are: only inside TLS, unless the network is one's own
 *   SCRAM-SHA-…    proofs in place of passwords, from both sides (scram.ts)
 *   OAUTHBEARER    a token from somewhere else (RFC 7628, KIP-255)
 */
import { ScramExchange } from "./scram.ts"

export type SaslOptions = PasswordSasl | TokenSasl

export interface PasswordSasl {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512"
  readonly username: string
  readonly password: string
  /** With SCRAM: username and password are the id and the HMAC of a delegation token, as base64 (KIP-48). */
  readonly tokenAuth?: boolean
}

export interface TokenSasl {
  readonly mechanism: "OAUTHBEARER"
  /** Asked for whenever a connection authenticates: it keeps tokens for as long as they are good. */
  readonly token: () => string | Promise<string>
  /** SASL extensions (KIP-342). */
  readonly extensions?: Readonly<Record<string, string>>
}

export interface SaslExchange {
  readonly first: Uint8Array
  /** The next message; undefined when the server's was the last. Throws when the server is not who it must be. */
  respond(answer: Uint8Array): Uint8Array | undefined
}

export async function startExchange(options: SaslOptions, nonce: () => string): Promise<SaslExchange> {
  switch (options.mechanism) {
    case "PLAIN":
      return plain(options.username, options.password)
    case "OAUTHBEARER":
      return bearer(await options.token(), options.extensions ?? {})
    default:
      return new ScramExchange(options.mechanism, options, nonce())
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

function plain(username: string, password: string): SaslExchange {
  return { first: encode(`\0${username}\0${password}`), respond: () => undefined }
}

const SEPARATOR = "\u0001"

function bearer(token: string, extensions: Readonly<Record<string, string>>): SaslExchange {
  const pairs = [`auth=Bearer ${token}`, ...Object.entries(extensions).map(([key, value]) => `${key}=${value}`)]
  return {
    first: encode(`n,,${SEPARATOR}${pairs.join(SEPARATOR)}${SEPARATOR}${SEPARATOR}`),
    // What is not empty says why the token is refused; this ends the exchange, and the server says so with a code.
    respond: (answer) => (answer.length === 0 ? undefined : encode(SEPARATOR)),
  }
}

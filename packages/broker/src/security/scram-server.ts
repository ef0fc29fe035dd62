/**
 * The server's side of SCRAM (RFC 5802; KIP-84): checks a proof of the password against a credential of the metadata log,
 * from which no password can be had, and proves that it has it. With the extension `tokenauth=true` the name is a delegation
 * token's, and who comes in is the token's owner (KIP-48).
 */
import { timingSafeEqual } from "node:crypto"
import {
  attributes,
  authMessage,
  digest,
  hmac,
  nameOfSasl,
  type ScramCredential,
  type ScramMechanism,
  xor,
} from "@millrace/protocol/sasl/scram"
import { type Authenticated, AuthenticationFailed, type SaslServer, type SaslStep } from "./sasl.ts"

export interface ScramServerOptions {
  readonly mechanism: ScramMechanism
  readonly nonce: string
  credential(user: string): ScramCredential | undefined
  token(tokenId: string): TokenCredential | undefined
}

/** A delegation token that is good now. */
export interface TokenCredential {
  readonly credential: ScramCredential
  /** The owner's name. */
  readonly user: string
  readonly expiresAt: number
}

interface Challenge {
  readonly authenticated: Authenticated
  readonly credential: ScramCredential
  readonly header: string
  readonly clientFirstBare: string
  readonly serverFirst: string
  readonly nonce: string
}

const FIRST = /^([ny],(?:a=[^,]*)?,)((?:m=[^,]*,)?n=([^,]*),r=([^,]+)((?:,.*)?))$/s
const TOKEN_AUTH = /,tokenauth=true(?:,|$)/i
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

export class ScramServer implements SaslServer {
  readonly #options: ScramServerOptions
  #challenge: Challenge | undefined
  /** With a delegation token it is the token's id. */
  claimedUser: string | undefined

  constructor(options: ScramServerOptions) {
    this.#options = options
  }

  respond(message: Uint8Array): SaslStep {
    const text = new TextDecoder().decode(message)
    if (this.#challenge !== undefined) return this.#check(this.#challenge, text)
    this.#challenge = this.#open(text)
    return { answer: Buffer.from(this.#challenge.serverFirst) }
  }

  #open(text: string): Challenge {
    const [, header, clientFirstBare, name, clientNonce, extensions] = FIRST.exec(text) ?? []
    if (name === undefined || clientFirstBare!.startsWith("m=")) throw this.#failed()
    this.claimedUser = nameOfSasl(name)
    const known = this.#find(this.claimedUser, extensions!)
    if (known === undefined) throw this.#failed()
    const { credential, authenticated } = known
    const nonce = clientNonce! + this.#options.nonce
    const serverFirst = `r=${nonce},s=${base64(credential.salt)},i=${credential.iterations}`
    return { authenticated, credential, header: header!, clientFirstBare: clientFirstBare!, serverFirst, nonce }
  }

  #find(name: string, extensions: string): Pick<Challenge, "authenticated" | "credential"> | undefined {
    if (TOKEN_AUTH.test(extensions)) {
      const token = this.#options.token(name)
      if (token === undefined) return undefined
      const { credential, user, expiresAt } = token
      return { credential, authenticated: { user, expiresAt, byToken: true } }
    }
    const credential = this.#options.credential(name)
    return credential && { credential, authenticated: { user: name } }
  }

  #check(
    { authenticated, credential, header, clientFirstBare, serverFirst, nonce }: Challenge,
    text: string,
  ): SaslStep {
    const { mechanism } = this.#options
    const given = attributes(text)
    const proof = Buffer.from(given?.get("p") ?? "", "base64")
    // librdkafka up to 2.5 puts its own nonce before all of ours; Kafka looks at the end alone.
    const isForUs = given?.get("r")?.endsWith(nonce) === true && given.get("c") === base64(Buffer.from(header))
    if (!isForUs || proof.length !== credential.storedKey.length) throw this.#failed()
    const message = authMessage(clientFirstBare, serverFirst, text.slice(0, text.lastIndexOf(",p=")))
    const clientKey = xor(proof, hmac(mechanism, credential.storedKey, message))
    if (!timingSafeEqual(digest(mechanism, clientKey), credential.storedKey)) throw this.#failed()
    const signature = hmac(mechanism, credential.serverKey, message)
    return { answer: Buffer.from(`v=${base64(signature)}`), authenticated }
  }

  #failed(): AuthenticationFailed {
    return new AuthenticationFailed(
      `Authentication failed during authentication due to invalid credentials with SASL mechanism ${this.#options.mechanism}`,
    )
  }
}

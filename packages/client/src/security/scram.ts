/**
 * The client's side of SCRAM (RFC 5802): proves that it knows the password, and has the server prove it too.
 *
 *   n,,n=alice,r=NONCE  ->  r=NONCE…,s=SALT,i=4096  ->  c=biws,r=NONCE…,p=PROOF  ->  v=SIGNATURE
 *
 * With a delegation token in place of a user, `tokenauth=true` follows the first nonce (KIP-48).
 */
import {
  attributes,
  authMessage,
  clientKeyOf,
  digest,
  hmac,
  SCRAM_ITERATIONS_MAX,
  SCRAM_MECHANISMS,
  type ScramMechanism,
  saltedPassword,
  saslName,
  xor,
} from "@millrace/protocol/sasl/scram"
import type { PasswordSasl, SaslExchange } from "./sasl.ts"

/** No channel binding, no other identity. */
const HEADER = "n,,"
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64")

export class ScramExchange implements SaslExchange {
  readonly first: Uint8Array
  readonly #mechanism: ScramMechanism
  readonly #password: string
  readonly #nonce: string
  readonly #firstBare: string
  /** What the server will say when it knows the credential. */
  #expected: string | undefined

  constructor(
    mechanism: ScramMechanism,
    { username, password, tokenAuth = false }: Pick<PasswordSasl, "username" | "password" | "tokenAuth">,
    nonce: string,
  ) {
    this.#mechanism = mechanism
    this.#password = password
    this.#nonce = nonce
    this.#firstBare = `n=${saslName(username)},r=${nonce}${tokenAuth ? ",tokenauth=true" : ""}`
    this.first = Buffer.from(HEADER + this.#firstBare)
  }

  respond(answer: Uint8Array): Uint8Array | undefined {
    const text = Buffer.from(answer).toString()
    if (this.#expected === undefined) return this.#prove(text)
    if (text !== this.#expected) throw new Error(`${this.#mechanism}: the server does not prove that it knows the user`)
    return undefined
  }

  #prove(serverFirst: string): Uint8Array {
    const given = attributes(serverFirst)
    const [nonce, salt, iterations] = [given?.get("r"), given?.get("s"), Number(given?.get("i"))]
    if (nonce === undefined || salt === undefined || !nonce.startsWith(this.#nonce))
      throw new Error(`${this.#mechanism}: the server's answer is no challenge to this client`)
    const { iterationsMin } = SCRAM_MECHANISMS[this.#mechanism]
    if (!(iterations >= iterationsMin && iterations <= SCRAM_ITERATIONS_MAX))
      throw new Error(
        `${this.#mechanism}: the server asks for ${given?.get("i")} iterations; from ${iterationsMin} to ${SCRAM_ITERATIONS_MAX} are taken`,
      )
    const salted = saltedPassword(this.#mechanism, this.#password, Buffer.from(salt, "base64"), iterations)
    const clientKey = clientKeyOf(this.#mechanism, salted)
    const withoutProof = `c=${base64(Buffer.from(HEADER))},r=${nonce}`
    const message = authMessage(this.#firstBare, serverFirst, withoutProof)
    const signature = hmac(this.#mechanism, digest(this.#mechanism, clientKey), message)
    const serverKey = hmac(this.#mechanism, salted, "Server Key")
    this.#expected = `v=${base64(hmac(this.#mechanism, serverKey, message))}`
    return Buffer.from(`${withoutProof},p=${base64(xor(clientKey, signature))}`)
  }
}

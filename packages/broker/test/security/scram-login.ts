/** The client's side of SCRAM, for tests: with a password, or with a delegation token (KIP-48). */
import {
  attributes,
  authMessage,
  clientKeyOf,
  digest,
  hmac,
  saltedPassword,
  type ScramMechanism,
  xor,
} from "@millrace/protocol/sasl/scram"

export interface ScramLogin {
  readonly mechanism: ScramMechanism
  readonly user: string
  readonly password: string
  /** The user is a token's id, and the password its HMAC as base64. */
  readonly isToken?: boolean
}

/** Sends two messages; the answer of `send` to the last one says whether the server let the client in. */
export async function scramLogin<A extends { readonly authBytes: Uint8Array }>(
  { mechanism, user, password, isToken = false }: ScramLogin,
  send: (authBytes: Uint8Array) => Promise<A>,
): Promise<A> {
  const firstBare = `n=${user},r=nonce-of-a-client${isToken ? ",tokenauth=true" : ""}`
  const first = await send(Buffer.from(`n,,${firstBare}`))
  const serverFirst = Buffer.from(first.authBytes).toString()
  const given = attributes(serverFirst)
  if (given?.get("s") === undefined) return first
  const salt = Buffer.from(given.get("s")!, "base64")
  const clientKey = clientKeyOf(mechanism, saltedPassword(mechanism, password, salt, Number(given.get("i"))))
  const withoutProof = `c=biws,r=${given.get("r")}`
  const signature = hmac(mechanism, digest(mechanism, clientKey), authMessage(firstBare, serverFirst, withoutProof))
  const proof = Buffer.from(xor(clientKey, signature)).toString("base64")
  return send(Buffer.from(`${withoutProof},p=${proof}`))
}

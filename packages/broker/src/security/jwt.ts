/**
 * Signed tokens (JWT, RFC 7519; JWS, RFC 7515) and the keys they are checked with (JWKS, RFC 7517). Only signatures by
 * asymmetric keys are taken: whoever can check a token cannot make one.
 */
import { constants, createPublicKey, type JsonWebKey, type KeyObject, verify } from "node:crypto"

/** Node's digest and, where they matter, padding or form of the signature, by the algorithm's name in a token. */
const ALGORITHMS: Readonly<
  Record<string, { hash: string | null; type: string; padding?: number; dsaEncoding?: "ieee-p1363" }>
> = {
  RS256: { hash: "sha256", type: "rsa" },
  RS384: { hash: "sha384", type: "rsa" },
  RS512: { hash: "sha512", type: "rsa" },
  PS256: { hash: "sha256", type: "rsa", padding: constants.RSA_PKCS1_PSS_PADDING },
  PS384: { hash: "sha384", type: "rsa", padding: constants.RSA_PKCS1_PSS_PADDING },
  PS512: { hash: "sha512", type: "rsa", padding: constants.RSA_PKCS1_PSS_PADDING },
  ES256: { hash: "sha256", type: "ec", dsaEncoding: "ieee-p1363" },
  ES384: { hash: "sha384", type: "ec", dsaEncoding: "ieee-p1363" },
  ES512: { hash: "sha512", type: "ec", dsaEncoding: "ieee-p1363" },
  EdDSA: { hash: null, type: "ed25519" },
}

export interface Token {
  readonly algorithm: string
  readonly keyId: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
  readonly signed: string
  readonly signature: Uint8Array
}

export interface VerificationKey {
  readonly keyId: string | undefined
  readonly key: KeyObject
}

/** Undefined for what is no signed token. */
export function parseToken(text: string): Token | undefined {
  const [header, payload, signature, ...rest] = text.split(".")
  if (!header || !payload || !signature || rest.length > 0) return undefined
  const [head, claims] = [json(header), json(payload)]
  if (head === undefined || claims === undefined || typeof head["alg"] !== "string") return undefined
  return {
    algorithm: head["alg"],
    keyId: typeof head["kid"] === "string" ? head["kid"] : undefined,
    claims,
    signed: `${header}.${payload}`,
    signature: Buffer.from(signature, "base64url"),
  }
}

function json(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString())
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

export function isSignedBy({ algorithm, signed, signature }: Token, { key }: VerificationKey): boolean {
  const facts = Object.hasOwn(ALGORITHMS, algorithm) ? ALGORITHMS[algorithm]! : undefined
  if (facts === undefined || facts.type !== key.asymmetricKeyType) return false
  const { hash, padding, dsaEncoding } = facts
  const options = { key, ...(padding !== undefined && { padding }), ...(dsaEncoding && { dsaEncoding }) }
  return verify(hash, Buffer.from(signed), options, signature)
}

/** The keys of a JWKS document; those that are not for signatures, or not understood, are left out. Throws for no JWKS. */
export function parseKeySet(text: string): VerificationKey[] {
  const { keys } = JSON.parse(text) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error("it has no keys")
  return (keys as (JsonWebKey & { kid?: string; use?: string })[]).flatMap((jwk) => {
    if (jwk.use !== undefined && jwk.use !== "sig") return []
    try {
      return [{ keyId: jwk.kid, key: createPublicKey({ key: jwk, format: "jwk" }) }]
    } catch {
      return []
    }
  })
}

/**
 * SCRAM (RFC 5802, RFC 7677; KIP-84): the formulas and the attributes that client and server share.
 *
 *   SaltedPassword = PBKDF2(password, salt, iterations)      the client's secret, and that of whoever sets a credential
 *   StoredKey      = H(HMAC(SaltedPassword, "Client Key"))   what a server keeps: enough to check a proof, and not to make one
 *   ServerKey      = HMAC(SaltedPassword, "Server Key")      what a server proves with that it knows the credential
 */
import { createHash, createHmac, pbkdf2Sync } from "node:crypto"

export type ScramMechanism = "SCRAM-SHA-256" | "SCRAM-SHA-512"

interface Facts {
  readonly hash: "sha256" | "sha512"
  /** Kafka's number of it in messages and records. */
  readonly number: number
  readonly iterationsMin: number
}

export const SCRAM_MECHANISMS: Readonly<Record<ScramMechanism, Facts>> = {
  "SCRAM-SHA-256": { hash: "sha256", number: 1, iterationsMin: 4096 },
  "SCRAM-SHA-512": { hash: "sha512", number: 2, iterationsMin: 4096 },
}

/** More would let anybody who can reach a peer keep it busy. */
export const SCRAM_ITERATIONS_MAX = 16_384

export interface ScramCredential {
  readonly salt: Uint8Array
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
  readonly iterations: number
}

export const isScramMechanism = (name: string): name is ScramMechanism => Object.hasOwn(SCRAM_MECHANISMS, name)

export function scramMechanismOf(number: number): ScramMechanism | undefined {
  return Object.keys(SCRAM_MECHANISMS)
    .filter(isScramMechanism)
    .find((name) => SCRAM_MECHANISMS[name].number === number)
}

export function saltedPassword(
  mechanism: ScramMechanism,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Uint8Array {
  const { hash } = SCRAM_MECHANISMS[mechanism]
  return pbkdf2Sync(password, salt, iterations, hash === "sha256" ? 32 : 64, hash)
}

export function hmac(mechanism: ScramMechanism, key: Uint8Array, text: string): Uint8Array {
  return createHmac(SCRAM_MECHANISMS[mechanism].hash, key).update(text, "utf8").digest()
}

export function digest(mechanism: ScramMechanism, bytes: Uint8Array): Uint8Array {
  return createHash(SCRAM_MECHANISMS[mechanism].hash).update(bytes).digest()
}

export const clientKeyOf = (mechanism: ScramMechanism, salted: Uint8Array): Uint8Array =>
  hmac(mechanism, salted, "Client Key")

export function scramCredential(
  mechanism: ScramMechanism,
  salted: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): ScramCredential {
  return {
    salt,
    iterations,
    storedKey: digest(mechanism, clientKeyOf(mechanism, salted)),
    serverKey: hmac(mechanism, salted, "Server Key"),
  }
}

/** A proof from a client key, and a client key from a proof: both are an exclusive or with the signature. */
export function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, index) => byte ^ right[index]!)
}

/** What both sides sign. `withoutProof` is the client's last message up to its proof. */
export const authMessage = (clientFirstBare: string, serverFirst: string, withoutProof: string): string =>
  `${clientFirstBare},${serverFirst},${withoutProof}`

/** `a=text,b=text`; undefined when it is not that. Values may hold `=`. */
export function attributes(text: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>()
  for (const part of text.split(",")) {
    if (part[1] !== "=") return undefined
    found.set(part[0]!, part.slice(2))
  }
  return found
}

/** A name as attributes carry it: without commas and equals signs. */
export const saslName = (name: string): string => name.replaceAll("=", "=3D").replaceAll(",", "=2C")
export const nameOfSasl = (text: string): string => text.replaceAll("=2C", ",").replaceAll("=3D", "=")

/**
 * The keys of an issuer, kept: read at first use, again when they are old, and when a token names one that is not among them;
 * that no more often than once a while, since anybody can send such a token.
 */
import { parseKeySet, type VerificationKey } from "./jwt.ts"

const UNKNOWN_KEY_PAUSE_MS = 10_000

export interface KeySetOptions {
  /** The JWKS document. */
  read(): Promise<string>
  readonly refreshMs: number
  now(): number
}

export class KeySet {
  readonly #options: KeySetOptions
  #keys: readonly VerificationKey[] = []
  #readAt = -Infinity
  #reading: Promise<void> | undefined

  constructor(options: KeySetOptions) {
    this.#options = options
  }

  /** Rejects when there are none and they cannot be read; old ones are better than none. */
  async keys(keyId: string | undefined): Promise<readonly VerificationKey[]> {
    const age = this.#options.now() - this.#readAt
    const isKnown = keyId === undefined || this.#keys.some((key) => key.keyId === keyId)
    if (age >= this.#options.refreshMs || (!isKnown && age >= UNKNOWN_KEY_PAUSE_MS)) {
      try {
        await (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)))
      } catch (cause) {
        if (this.#keys.length === 0) throw cause
      }
    }
    return this.#keys
  }

  async #read(): Promise<void> {
    this.#keys = parseKeySet(await this.#options.read())
    this.#readAt = this.#options.now()
  }
}

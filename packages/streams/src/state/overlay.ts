/**
 * What the open transaction has read and written in one store, decoded.
 *
 * Entries are found by key: primitives by themselves, which spares encoding; everything else by its bytes. An entry holds
 * the one decoded value of this transaction, so that callbacks that change an aggregate in place see their own changes,
 * and dropping the overlay forgets them.
 */
import type { Serde } from "@millrace/schema"
import { byteString } from "./byte-order.ts"

export class OverlayEntry<V> {
  readonly key: unknown
  /** The key's bytes as a string, once they were needed. */
  bytes: string | undefined
  value: V | undefined
  timestamp: number
  isDirty = false

  constructor(key: unknown, bytes: string | undefined, value: V | undefined, timestamp: number) {
    this.key = key
    this.bytes = bytes
    this.value = value
    this.timestamp = timestamp
  }
}

export class Overlay<V> {
  readonly #serde: Serde<any>
  readonly #primitives = new Map<unknown, OverlayEntry<V>>()
  readonly #others = new Map<string, OverlayEntry<V>>()

  constructor(serde: Serde<any>) {
    this.#serde = serde
  }

  /** The entry of a key, made by `load` from the key's bytes when the transaction meets it first. */
  entry(key: unknown, load: (key: unknown, bytes: string) => OverlayEntry<V>): OverlayEntry<V> {
    if (typeof key !== "object" || key === null) {
      const known = this.#primitives.get(key)
      if (known !== undefined) return known
      const made = load(key, byteString(this.#serde.encode(key)))
      this.#primitives.set(key, made)
      return made
    }
    const bytes = byteString(this.#serde.encode(key))
    const known = this.#others.get(bytes)
    if (known !== undefined) return known
    const made = load(key, bytes)
    this.#others.set(bytes, made)
    return made
  }

  get size(): number {
    return this.#primitives.size + this.#others.size
  }

  *entries(): Iterable<OverlayEntry<V>> {
    yield* this.#primitives.values()
    yield* this.#others.values()
  }

  clear(): void {
    this.#primitives.clear()
    this.#others.clear()
  }
}

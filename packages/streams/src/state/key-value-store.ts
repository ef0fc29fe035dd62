/**
 * The latest value per key, with its timestamp. A key is stored as its serde writes it.
 */
import { type Headers, NO_HEADERS } from "../dsl/record.ts"
import type { PhysicalStore } from "../topology/topology.ts"
import { byteString, bytesOf } from "./byte-order.ts"
import { NO_TIME } from "./cell.ts"
import type { FlushLimits } from "./committed.ts"
import type { StateEngine } from "./engine.ts"
import { Overlay, OverlayEntry } from "./overlay.ts"
import { isCellKey, Store, type WriteStaged } from "./store.ts"

/** What a read answers: undefined for the value where the key has none. Owned by the store; valid in this transaction. */
export interface Stamped<V> {
  readonly value: V | undefined
  readonly timestamp: number
  /** Of a store that keeps them. */
  readonly headers?: Headers
}

export interface KeyValueRow<K, V> extends Stamped<V> {
  readonly key: K
  readonly value: V
}

const unread = (key: unknown, bytes: string) => new OverlayEntry<never>(key, bytes, undefined, NO_TIME)
const asItIs = () => {}

export class KeyValueStore<K = any, V = any> extends Store {
  readonly #overlay: Overlay<V>

  constructor(spec: PhysicalStore, engine: StateEngine, limits: FlushLimits) {
    super(spec, engine, limits, 0)
    this.#overlay = new Overlay((key) => byteString(spec.key.encode(key as K)))
  }

  readonly #load = (key: unknown, bytes: string): OverlayEntry<V> => this.loadEntry(key, bytes)

  #entry(key: unknown): OverlayEntry<V> {
    return this.#overlay.entry(key, this.#load, this.reloadEntry)
  }

  get(key: K): Stamped<V> {
    return this.unshared(this.#entry(key))
  }

  /** undefined deletes. What was there before is not read. Headers only where the store keeps them. */
  put(key: K, value: V | undefined, timestamp: number, headers: Headers = NO_HEADERS): void {
    const entry = this.#overlay.entry(key, unread, asItIs)
    entry.value = value
    entry.timestamp = timestamp
    entry.headers = headers
    entry.isDirty = true
    this.sample(value, headers)
  }

  /**
   * Rows with `from <= key < to` in the order of their keys' bytes, as the open transaction sees them. Puts made while it
   * runs are safe; what they add may or may not be seen.
   */
  *range(from?: K, to?: K): Iterable<KeyValueRow<K, V>> {
    const bound = (key: K | undefined) => (key === undefined ? undefined : byteString(this.spec.key.encode(key)))
    const [first, end] = [bound(from), bound(to)]
    const isWithin = (key: string) => (first === undefined || key >= first) && (end === undefined || key < end)
    const open = new Map<string, OverlayEntry<V>>()
    for (const entry of this.#overlay.entries())
      if (entry.isDirty && isWithin(entry.bytes)) open.set(entry.bytes, entry)
    const written = [...open.keys()].sort()
    let at = 0
    for (const [key] of this.committed.range(first, end)) {
      if (isCellKey(key)) continue
      while (at < written.length && written[at]! < key) yield* this.#live(open.get(written[at++]!)!)
      if (written[at] === key) at++
      const decoded = this.spec.key.decode(bytesOf(key))
      yield* this.#live(this.#entry(decoded))
    }
    while (at < written.length) yield* this.#live(open.get(written[at++]!)!)
  }

  *#live({ key, value, timestamp, headers }: OverlayEntry<V>): Iterable<KeyValueRow<K, V>> {
    if (value === undefined) return
    yield this.spec.headers === true
      ? { key: key as K, value, timestamp, headers }
      : { key: key as K, value, timestamp }
  }

  get openEntries(): number {
    return this.#overlay.size
  }

  protected stageEntries(write: WriteStaged): void {
    for (const entry of this.#overlay.entries()) {
      if (entry.isDirty) write(entry.bytes, entry.value, entry.timestamp, entry)
    }
  }

  protected closeOverlay(hasCommitted: boolean): void {
    if (hasCommitted) this.#overlay.close()
    else this.#overlay.forget()
  }

  override forgetReads(): void {
    super.forgetReads()
    this.#overlay.forget()
  }

  /** Committed entries in the order of their keys' bytes. */
  *entries(): Iterable<KeyValueRow<K, V>> {
    for (const [key, stored] of this.committed.range()) {
      if (isCellKey(key)) continue
      yield { key: this.spec.key.decode(bytesOf(key)), ...this.decode(stored) }
    }
  }
}

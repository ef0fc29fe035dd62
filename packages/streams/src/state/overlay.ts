/**
 * What the open transaction has read and written in one store, decoded.
 *
 * Entries are found by key: primitives by themselves, which spares encoding; everything else by its bytes. An entry holds
 * the one decoded value of this transaction, so that callbacks that change an aggregate in place see their own changes.
 *
 * Between transactions the entries used lately are kept with their committed bytes, so that a key that comes again spares
 * its serde, the memtable and the engine. Objects are decoded afresh by each transaction that reads them: what a callback
 * did to one in an aborted transaction is gone. Values that cannot be changed in place are kept as they are. Headers are
 * not, since they may be views of all that was fetched with them.
 */
import { invariant } from "@millrace/host"
import { type Headers, NO_HEADERS } from "../dsl/record.ts"

export class OverlayEntry<V> {
  readonly key: unknown
  /** Its stored key. */
  readonly bytes: string
  value: V | undefined
  timestamp: number
  /** Of a store that keeps none: none. */
  headers: Headers = NO_HEADERS
  isDirty = false
  isOpen = true
  /** The row as it is committed. */
  committed: Uint8Array | undefined
  /** What the transaction is to make of it, null where it deletes; undefined until it is staged. */
  staged: Uint8Array | null | undefined
  /** The value is to be decoded again. */
  isStale = false

  constructor(
    key: unknown,
    bytes: string,
    value: V | undefined,
    timestamp: number,
    committed: Uint8Array | undefined = undefined,
  ) {
    this.key = key
    this.bytes = bytes
    this.value = value
    this.timestamp = timestamp
    this.committed = committed
  }
}

/** Of entries kept between transactions. */
const KEPT_ENTRIES = 8_192
const KEPT_BYTES = 4 * 1024 * 1024

export class Overlay<V> {
  readonly #encode: (key: unknown) => string
  readonly #primitives = new Lately<unknown, OverlayEntry<V>>()
  readonly #others = new Lately<string, OverlayEntry<V>>()
  #open: OverlayEntry<V>[] = []
  #keptBytes = 0

  /** `encode` answers a key's bytes. */
  constructor(encode: (key: unknown) => string) {
    this.#encode = encode
  }

  /**
   * The entry of a key: made by `load` from the key's bytes when it is not known, filled again by `reload` when an earlier
   * transaction used it.
   */
  entry(
    key: unknown,
    load: (key: unknown, bytes: string) => OverlayEntry<V>,
    reload: (entry: OverlayEntry<V>) => void,
  ): OverlayEntry<V> {
    if (typeof key !== "object" || key === null) {
      const known = this.#primitives.get(key)
      if (known !== undefined) return known.isOpen ? known : this.#opened(known, reload)
      const made = load(key, this.#encode(key))
      this.#primitives.set(key, made)
      this.#open.push(made)
      return made
    }
    const bytes = this.#encode(key)
    const known = this.#others.get(bytes)
    if (known !== undefined) return known.isOpen ? known : this.#opened(known, reload)
    const made = load(key, bytes)
    this.#others.set(bytes, made)
    this.#open.push(made)
    return made
  }

  #opened(entry: OverlayEntry<V>, reload: (entry: OverlayEntry<V>) => void): OverlayEntry<V> {
    if (entry.isStale) reload(entry)
    entry.isStale = false
    entry.isOpen = true
    this.#open.push(entry)
    return entry
  }

  /** Entries of the open transaction. */
  get size(): number {
    return this.#open.length
  }

  entries(): readonly OverlayEntry<V>[] {
    return this.#open
  }

  /** The transaction committed what was staged. */
  close(): void {
    for (const entry of this.#open) {
      if (entry.isDirty) {
        invariant(entry.staged !== undefined, "a change was committed that had not been staged")
        entry.committed = entry.staged ?? undefined
        entry.staged = undefined
        entry.isDirty = false
      }
      entry.isOpen = false
      if (typeof entry.value === "object" || entry.headers.length > 0) {
        entry.isStale = true
        entry.value = undefined
        entry.headers = NO_HEADERS
      }
      this.#keptBytes += entry.bytes.length + (entry.committed?.length ?? 0)
    }
    this.#open = []
    // Both bounds hold twice: for what is recent, and for what was before.
    if (this.#keptBytes < KEPT_BYTES && this.#primitives.size + this.#others.size < KEPT_ENTRIES) return
    this.#keptBytes = 0
    this.#primitives.age()
    this.#others.age()
  }

  /** Keeps nothing: the transaction aborted, or what is committed was changed elsewhere. */
  forget(): void {
    this.#open = []
    this.#primitives.clear()
    this.#others.clear()
  }
}

/** A map that forgets what was not asked for between two calls of `age`. */
class Lately<K, V> {
  #recent = new Map<K, V>()
  #older = new Map<K, V>()

  get size(): number {
    return this.#recent.size
  }

  get(key: K): V | undefined {
    const recent = this.#recent.get(key)
    if (recent !== undefined || this.#older.size === 0) return recent
    const older = this.#older.get(key)
    if (older !== undefined) this.#recent.set(key, older)
    return older
  }

  set(key: K, value: V): void {
    this.#recent.set(key, value)
  }

  age(): void {
    this.#older = this.#recent
    this.#recent = new Map()
  }

  clear(): void {
    this.#recent.clear()
    this.#older.clear()
  }
}

/**
 * One value per window and key, with its timestamp.
 *
 * A stored key is the window's start (8 bytes, big-endian) and then the key, so that whole windows past their retention
 * are one range at the low end. They are deleted in the transaction that moves stream time past them, some thousands at a
 * time, with tombstones in the changelog: a changelog that deleted by the broker's wall clock would lose the windows of
 * old data. Reads do not wait for that: a window that stream time has left behind answers nothing.
 */
import { type Headers, NO_HEADERS } from "../dsl/record.ts"
import type { PhysicalStore } from "../topology/topology.ts"
import { byteString, bytesOf } from "./byte-order.ts"
import { type Cell, NO_TIME } from "./cell.ts"
import type { FlushLimits } from "./committed.ts"
import type { StateEngine } from "./engine.ts"
import { type KeyHash, keyHash } from "./key-filter.ts"
import type { KeyValueRow, Stamped } from "./key-value-store.ts"
import { Overlay, OverlayEntry } from "./overlay.ts"
import { isCellKey, NOTHING, Store, type WriteStaged } from "./store.ts"
import { TIME_BYTES, timeBytes, timeOf } from "./time-bytes.ts"
import { WindowKeys } from "./window-keys.ts"

const NO_KEY = Symbol("none")
/** Windows deleted in one transaction, so that none pays for a long silence. */
const EXPIRED_ENTRIES_MAX = 10_000
/** Expiry runs again once stream time moved by this part of the retention. */
const EXPIRY_STEP = 1 / 8

export class WindowStore<K = any, V = any> extends Store {
  readonly #windows = new Map<number, Overlay<V>>()
  readonly #retentionMs: number
  #time: Cell | undefined
  /** The key whose bytes were asked for last; no object. */
  #lastKey: unknown = NO_KEY
  #lastBytes = ""
  /** The bytes that were hashed last. */
  #hashedBytes = ""
  #lastHash = keyHash("")
  /** Kept for those who `find`. */
  #keys: WindowKeys | undefined
  /** No window that starts after it has anything; undefined until somebody asks. */
  #latest: number | undefined
  /** Windows that start below it have been deleted; by the open transaction, up to the second. */
  #expiredTo = 0
  #expiringTo = 0

  constructor(spec: PhysicalStore, engine: StateEngine, limits: FlushLimits) {
    super(spec, engine, limits, TIME_BYTES)
    this.#retentionMs = spec.retentionMs ?? Number.POSITIVE_INFINITY
  }

  /** The stream time of the operator that owns the store: what expiry goes by. */
  get streamTime(): Cell {
    return (this.#time ??= this.cell("stream-time"))
  }

  get(key: K, start: number): Stamped<V> {
    return this.#isExpired(start) ? NOTHING : this.unshared(this.#entry(key, start))
  }

  /** The same for those who look through windows and mostly find nothing: that costs next to nothing then. */
  find(key: K, start: number): Stamped<V> {
    this.#keys ??= new WindowKeys(this.latest, () => this.expiredTo)
    return this.#keys.lacks(start, this.#hashOf(this.#bytesOf(key))) ? NOTHING : this.get(key, start)
  }

  /** Also of a window that stream time has just left: for those who look once more before it goes. */
  peek(key: K, start: number): Stamped<V> {
    return this.#entry(key, start)
  }

  #isExpired(start: number): boolean {
    return start <= this.streamTime.value - this.#retentionMs
  }

  /** undefined deletes. Headers only where the store keeps them. */
  put(key: K, start: number, value: V | undefined, timestamp: number, headers: Headers = NO_HEADERS): void {
    if (this.#latest !== undefined && start > this.#latest) this.#latest = start
    const entry = this.#entry(key, start)
    this.#keys?.add(start, this.#hashOf(typeof key === "object" ? entry.bytes.slice(TIME_BYTES) : this.#bytesOf(key)))
    entry.value = value
    entry.timestamp = timestamp
    entry.headers = headers
    entry.isDirty = true
    this.sample(value, headers)
  }

  /** A key is looked for in one window after another. */
  readonly #bytesOf = (key: unknown): string => {
    if (key === this.#lastKey && typeof key !== "object") return this.#lastBytes
    this.#lastBytes = byteString(this.spec.key.encode(key))
    this.#lastKey = key
    return this.#lastBytes
  }

  #hashOf(bytes: string): KeyHash {
    if (bytes !== this.#hashedBytes) this.#lastHash = keyHash((this.#hashedBytes = bytes))
    return this.#lastHash
  }

  #entry(key: K, start: number): OverlayEntry<V> {
    let window = this.#windows.get(start)
    if (window === undefined) this.#windows.set(start, (window = new Overlay(this.#bytesOf)))
    return window.entry(key, (key, bytes) => this.#load(key, bytes, start), this.reloadEntry)
  }

  #load(key: unknown, bytes: string, start: number): OverlayEntry<V> {
    const stored = timeBytes(start) + bytes
    const isNew = this.#keys?.lacks(start, this.#hashOf(bytes)) === true
    return isNew ? new OverlayEntry<V>(key, stored, undefined, NO_TIME) : this.loadEntry(key, stored)
  }

  /** A start that no window with anything in it is after: whoever looks through windows need not look further. */
  get latest(): number {
    return (this.#latest ??= Math.max(this.#latestCommitted(), ...this.#windows.keys()))
  }

  #latestCommitted(): number {
    for (const [stored] of this.committed.range(undefined, undefined, true)) {
      if (!isCellKey(stored)) return this.windowOf(stored).start
    }
    return NO_TIME
  }

  get openEntries(): number {
    let count = 0
    for (const window of this.#windows.values()) count += window.size
    return count
  }

  protected stageEntries(write: WriteStaged): void {
    for (const [start, window] of this.#windows) {
      // A window of this transaction that is past already: nobody can read it, and expiry would not come back for it.
      if (this.#isExpired(start)) continue
      for (const entry of window.entries()) {
        if (entry.isDirty) write(entry.bytes, entry.value, entry.timestamp, entry)
      }
    }
    this.#stageExpired(write)
  }

  /** Windows that the transaction did not touch are forgotten, as are those that are past. */
  protected closeOverlay(hasCommitted: boolean): void {
    for (const [start, window] of this.#windows) {
      if (!hasCommitted || window.size === 0 || this.#isExpired(start)) this.#windows.delete(start)
      else window.close()
    }
  }

  override forgetReads(): void {
    super.forgetReads()
    this.#time = undefined
    this.#latest = undefined
    this.#keys = undefined
    this.#windows.clear()
  }

  #stageExpired(write: WriteStaged): void {
    const time = this.streamTime.value
    const bound = Math.floor(time - this.#retentionMs)
    if (bound <= 0 || bound - this.#expiredTo < this.#retentionMs * EXPIRY_STEP) return
    const keys = this.committed.keysBetween(timeBytes(this.#expiredTo), timeBytes(bound), EXPIRED_ENTRIES_MAX)
    for (const key of keys) write(key, undefined, time)
    if (keys.length < EXPIRED_ENTRIES_MAX) this.#expiringTo = bound
  }

  override merge(): void {
    super.merge()
    this.#expiredTo = this.#expiringTo
  }

  override rollback(): void {
    super.rollback()
    this.#expiringTo = this.#expiredTo
  }

  /** Windows that start at it or before are past. */
  get expiredTo(): number {
    return this.streamTime.value - this.#retentionMs
  }

  /** Committed entries, earliest windows first. */
  *entries(): Iterable<KeyValueRow<K, V> & { readonly start: number }> {
    for (const [stored, bytes] of this.committed.range()) {
      if (isCellKey(stored)) continue
      const { key, start } = this.windowOf(stored)
      if (this.#isExpired(start)) continue
      yield { key, start, ...this.decode(bytes) }
    }
  }

  /** Of a stored key. */
  windowOf(stored: string): { readonly key: K; readonly start: number } {
    return { key: this.spec.key.decode(bytesOf(stored.slice(TIME_BYTES))), start: timeOf(stored) }
  }
}

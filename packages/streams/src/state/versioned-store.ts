/**
 * The versions of a value per key, each from its timestamp until the next one's (KIP-889).
 *
 * A version is kept for as long as it holds within the history: `retentionMs` of stream time. The latest of a key is kept
 * for ever, unless it is a deletion. Reads do not wait for expiry: what ended before the history answers nothing.
 * How versions are stored, and found: versions.ts. Each has a key of its own in the changelog, so that compaction never
 * takes one that is still wanted, whenever it runs; expired ones are deleted in the transaction that moves stream time past
 * them, some thousands at a time, with tombstones. So is a deletion, with what it ended.
 */
import type { PhysicalStore } from "../topology/topology.ts"
import { byteString, bytesOf } from "./byte-order.ts"
import { type Cell, NO_TIME } from "./cell.ts"
import type { FlushLimits } from "./committed.ts"
import type { StateEngine } from "./engine.ts"
import { StateError } from "../errors.ts"
import { Overlay, OverlayEntry } from "./overlay.ts"
import { Store, type WriteStaged } from "./store.ts"
import {
  BUCKET_MS,
  bucketPrefix,
  deletable,
  DELETED,
  keyOfLatest,
  keyOfPast,
  LATEST_BOUNDS,
  latestKey,
  pastKey,
  PREFIX_LENGTH,
  type StoredVersion,
  versionsOf,
} from "./versions.ts"

/** The value is undefined where the key has none at that time. */
export interface Version<V> {
  readonly value: V | undefined
  readonly timestamp: number
  /** Until when it holds: another version begins then. Infinity: of the latest. */
  readonly validTo: number
}

export const NO_VERSION: Version<never> = { value: undefined, timestamp: NO_TIME, validTo: Number.POSITIVE_INFINITY }

/** Versions deleted in one transaction, so that none pays for a long silence. */
const EXPIRED_ENTRIES_MAX = 10_000
/** Expiry runs again once stream time moved by this part of the history. */
const EXPIRY_STEP = 1 / 8

type Entry<V> = OverlayEntry<V | typeof DELETED>

export class VersionedStore<K = any, V = any> extends Store {
  readonly #latest: Overlay<V | typeof DELETED>
  readonly #past = new Map<string, Entry<V>>()
  readonly historyMs: number
  #time: Cell | undefined
  /** Past versions that ended before it have been deleted; by the open transaction, before the second. */
  #expiredTo = 0
  #expiringTo = 0

  constructor(spec: PhysicalStore, engine: StateEngine, limits: FlushLimits) {
    super({ ...spec, value: deletable(spec.value) }, engine, limits, PREFIX_LENGTH)
    this.#latest = new Overlay((key) => byteString(spec.key.encode(key)))
    this.historyMs = spec.retentionMs ?? Number.POSITIVE_INFINITY
  }

  /** The stream time of the operator that owns the store: what the history is counted back from. */
  get streamTime(): Cell {
    return (this.#time ??= this.cell("stream-time"))
  }

  /** The first instant of the history. */
  get historyFrom(): number {
    return this.streamTime.value - this.historyMs
  }

  /** The version that held at a time, or the latest. Before the history, only one that still holds is found. */
  get(key: K, asOf = Number.POSITIVE_INFINITY): Version<V> {
    const latest = this.#entry(key)
    if (latest.value === undefined) return NO_VERSION
    if (latest.timestamp <= asOf) return this.#version(latest, Number.POSITIVE_INFINITY)
    if (asOf < Math.max(0, this.historyFrom)) return NO_VERSION
    for (const { row, validTo } of this.#walk(latest)) if (row.timestamp <= asOf) return this.#version(row, validTo)
    return NO_VERSION
  }

  /** Versions that hold at some time of `[from, to]`, the newest first; deletions are left out. */
  *versions(key: K, from = 0, to = Number.POSITIVE_INFINITY): Iterable<Version<V> & { readonly value: V }> {
    for (const { row, validTo } of this.#walk(this.#entry(key))) {
      if (validTo <= from || validTo <= this.historyFrom) return
      if (row.timestamp > to || row.value === DELETED) continue
      yield this.#version(row, validTo) as Version<V> & { readonly value: V }
    }
  }

  /**
   * Puts a version, undefined deleting from its time on, and answers until when it holds. One of the same time is replaced.
   * What is before the history is for the caller to refuse, who knows the clock that the record is judged by.
   */
  put(key: K, value: V | undefined, timestamp: number): number {
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
      throw new StateError(`store "${this.spec.name}": a version at ${timestamp} must be whole milliseconds from 0 on`)
    }
    this.sample(value)
    const kept = value === undefined ? DELETED : value
    const latest = this.#entry(key)
    if (latest.value === undefined || timestamp >= latest.timestamp) {
      this.#putLatest(latest, kept, timestamp)
      return Number.POSITIVE_INFINITY
    }
    let validTo = latest.timestamp
    for (;;) {
      const past = this.#read(this.#pastOf(latest, validTo))
      if (past.value === undefined || past.timestamp <= timestamp) {
        if (past.value !== undefined && past.timestamp < timestamp)
          this.#write(this.#read(this.#pastOf(latest, timestamp)), past.value, past.timestamp)
        this.#write(past, kept, timestamp)
        return validTo
      }
      validTo = past.timestamp
    }
  }

  #putLatest(latest: Entry<V>, value: V | typeof DELETED, timestamp: number): void {
    const stored = this.#pastOf(latest, timestamp)
    if (latest.value !== undefined && timestamp > latest.timestamp) {
      // Nothing can have ended at that time yet.
      const ended = new OverlayEntry<V | typeof DELETED>(undefined, stored, undefined, NO_TIME)
      this.#past.set(stored, ended)
      this.#write(ended, latest.value, latest.timestamp)
    } else if (value === DELETED) {
      // A deletion goes when the version that it ended does: let there be one.
      const ended = this.#read(stored)
      if (ended.value === undefined) this.#write(ended, DELETED, 0)
    }
    this.#write(latest, value, timestamp)
  }

  #write(entry: Entry<V>, value: V | typeof DELETED, timestamp: number): void {
    entry.value = value
    entry.timestamp = timestamp
    entry.isDirty = true
  }

  #pastOf(latest: Entry<V>, validTo: number): string {
    return pastKey(keyOfLatest(latest.bytes), validTo)
  }

  #walk(latest: Entry<V>): Iterable<StoredVersion<Entry<V>>> {
    const read = (stored: string) => (stored === latest.bytes ? latest : this.#read(stored))
    return versionsOf(read, keyOfLatest(latest.bytes))
  }

  #version(entry: Entry<V>, validTo: number): Version<V> {
    if (entry.value === DELETED) return { ...NO_VERSION, validTo }
    const { value, timestamp } = this.unshared(entry) as Version<V>
    return { value, timestamp, validTo }
  }

  #entry(key: K): Entry<V> {
    return this.#latest.entry(key, this.#load, this.reloadEntry)
  }

  readonly #load = (key: unknown, bytes: string): Entry<V> => {
    const stored = latestKey(bytes)
    const { value, timestamp } = this.decode(this.committed.get(stored))
    return new OverlayEntry(key, stored, value, timestamp)
  }

  /** A past version; a place for one where there is none. */
  #read(stored: string): Entry<V> {
    let entry = this.#past.get(stored)
    if (entry === undefined) {
      const { value, timestamp } = this.decode(this.committed.get(stored))
      entry = new OverlayEntry(undefined, stored, value, timestamp)
      this.#past.set(stored, entry)
    }
    return entry
  }

  get openEntries(): number {
    return this.#latest.size + this.#past.size
  }

  protected stageEntries(write: WriteStaged): void {
    const latest = new Map([...this.#latest.entries()].map((entry) => [entry.bytes, entry] as const))
    const expiredTo = this.#stageExpired(latest, write)
    const bound = bucketPrefix(expiredTo)
    for (const [stored, { value, timestamp, isDirty }] of latest) {
      if (!isDirty) continue
      if (value !== DELETED || timestamp >= expiredTo) write(stored, value, timestamp)
      else if (this.committed.get(stored) !== undefined) write(stored, undefined, timestamp)
    }
    for (const [stored, { value, timestamp, isDirty }] of this.#past) {
      // What this transaction began and left behind: expiry would not come back for it.
      if (isDirty && stored >= bound) write(stored, value, timestamp)
    }
  }

  /** Answers the time before which nothing is kept from now on. */
  #stageExpired(latest: ReadonlyMap<string, Entry<V>>, write: WriteStaged): number {
    const bound = Math.floor(Math.max(0, this.historyFrom) / BUCKET_MS) * BUCKET_MS
    if (bound <= this.#expiredTo || bound - this.#expiredTo < this.historyMs * EXPIRY_STEP) return this.#expiredTo
    const expired = this.committed.keysBetween(bucketPrefix(this.#expiredTo), bucketPrefix(bound), EXPIRED_ENTRIES_MAX)
    const time = this.streamTime.value
    for (const stored of expired) write(stored, undefined, time)
    for (const key of new Set(expired.map(keyOfPast))) {
      const stored = latestKey(key)
      if (latest.get(stored)?.isDirty === true) continue
      const { value, timestamp } = this.decode(this.committed.get(stored))
      if (value === DELETED && timestamp < bound) write(stored, undefined, time)
    }
    if (expired.length === EXPIRED_ENTRIES_MAX) return this.#expiredTo
    this.#expiringTo = bound
    return bound
  }

  protected closeOverlay(): void {
    this.#latest.forget()
    this.#past.clear()
  }

  override merge(): void {
    super.merge()
    this.#expiredTo = this.#expiringTo
  }

  override rollback(): void {
    super.rollback()
    this.#expiringTo = this.#expiredTo
  }

  override forgetReads(): void {
    super.forgetReads()
    this.#time = undefined
  }

  /** Committed versions of the history: keys in the order of their bytes, of each the newest first. */
  *entries(): Iterable<{ readonly key: K; readonly value: V; readonly timestamp: number; readonly validTo?: number }> {
    for (const [latest] of this.committed.range(...LATEST_BOUNDS)) {
      const key = this.spec.key.decode(bytesOf(keyOfLatest(latest)))
      for (const { row, validTo } of this.storedVersions(keyOfLatest(latest)))
        if (row.value !== DELETED) yield { key, ...row, ...ending(validTo) }
    }
  }

  /** Of the history, by the bytes of the key, the newest first, deletions too; `get` may read what is not committed. */
  *storedVersions(
    key: string,
    get: (stored: string) => Uint8Array | undefined = (stored) => this.committed.get(stored),
  ): Iterable<StoredVersion<{ readonly value: any; readonly timestamp: number }>> {
    for (const version of versionsOf((stored) => this.decode(get(stored)), key)) {
      if (version.validTo <= this.historyFrom) return
      yield version
    }
  }
}

/** As rows tell it: absent of the latest. */
export const ending = (validTo: number): { readonly validTo?: number } =>
  validTo === Number.POSITIVE_INFINITY ? {} : { validTo }

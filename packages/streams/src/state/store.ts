/**
 * What every store of a task does around a transaction, whatever its shape.
 *
 *     overlay  --stage-->  staged bytes  --merge-->  memtable  --flush-->  engine
 *     (open)               (in the changelog,        (committed)           (on disk, with a checkpoint)
 *                           outcome not known yet)
 *
 * `stage` encodes what the transaction changed, for the changelog to write; `merge` is called once the transaction is
 * known to have committed, `rollback` once it is known to have aborted. Cells (stream times, emit marks) go the same way:
 * in the changelog and the engine they lie under a key that no serde writes.
 * Rows as bytes: row.ts.
 */
import { type Headers, NO_HEADERS } from "../dsl/record.ts"
import type { PhysicalStore } from "../topology/topology.ts"
import { byteString, bytesOf } from "./byte-order.ts"
import { Cell, NO_TIME } from "./cell.ts"
import { CommittedBytes, type FlushLimits } from "./committed.ts"
import type { StateEngine } from "./engine.ts"
import { StateError } from "../errors.ts"
import type { Stamped } from "./key-value-store.ts"
import { OverlayEntry } from "./overlay.ts"
import { headersOf, readDouble, rowOf, sizeOfHeaders, TIMESTAMP_BYTES, timestampAt } from "./row.ts"

const CELL_PREFIX = byteString(Uint8Array.from([0, 0xff, 0xff, 0x6d, 0x69, 0x6c, 0x6c, 0x72, 0x61, 0x63, 0x65, 0]))

export const isCellKey = (key: string): boolean => key.startsWith(CELL_PREFIX)

/** One change of the open transaction, encoded; `value` as it is stored, null where the key is deleted. */
export interface StagedWrite {
  readonly key: string
  readonly value: Uint8Array | null
  readonly timestamp: number
  readonly headers: Headers
}

/** Takes one change of the open transaction, undefined where it deletes, and the entry that it is of. */
export type WriteStaged = (key: string, value: unknown, timestamp: number, entry?: OverlayEntry<any>) => void

/** The key and value of a change, as its changelog has them. */
export const changelogKey = ({ key }: StagedWrite): Uint8Array => bytesOf(key)
export const changelogValue = ({ value }: StagedWrite): Uint8Array | null =>
  value && value.subarray(timestampAt(value) + TIMESTAMP_BYTES)

/** What is read where there is no row. */
export const NOTHING: Stamped<never> = { value: undefined, timestamp: NO_TIME, headers: NO_HEADERS }

/** Key, timestamp and what a record costs in a batch, roughly. */
const ENTRY_OVERHEAD_BYTES = 64
/** Of so many puts one is measured. */
const SAMPLE_INTERVAL = 32
/** How much a measurement moves what is known. */
const SAMPLE_WEIGHT = 1 / 4

export abstract class Store {
  readonly spec: PhysicalStore
  readonly committed: CommittedBytes
  readonly #cells = new Map<string, Cell>()
  readonly #listeners = new Set<(key: string, value: Uint8Array | null) => void>()
  #staged: StagedWrite[] = []
  /** What a value takes, by the samples so far. */
  #valueBytes = 0
  #puts = 0

  constructor(spec: PhysicalStore, engine: StateEngine, limits: FlushLimits, prefixLength: number) {
    this.spec = spec
    this.committed = new CommittedBytes(engine, prefixLength, limits)
  }

  /** Entries that the open transaction holds, read or written: a measure of its memory. */
  abstract get openEntries(): number

  /** Encodes every changed entry of the overlay through `write`. */
  protected abstract stageEntries(write: WriteStaged): void

  /** Forgets what the transaction did; what it read may be kept. */
  protected abstract closeOverlay(hasCommitted: boolean): void

  cell(name: string): Cell {
    let cell = this.#cells.get(name)
    if (cell === undefined) {
      const stored = this.committed.get(CELL_PREFIX + name)
      cell = new Cell(stored === undefined ? NO_TIME : readDouble(stored, TIMESTAMP_BYTES))
      this.#cells.set(name, cell)
    }
    return cell
  }

  /** Roughly the bytes that the open transaction will write: entries by what such entries took so far. */
  get openBytes(): number {
    return this.openEntries * (ENTRY_OVERHEAD_BYTES + this.#valueBytes)
  }

  /** Of a record's headers, what its row is to keep: they are not looked for where it keeps none. */
  headersToKeep(record: { headers(): Headers }): Headers {
    return this.spec.headers === true ? record.headers() : NO_HEADERS
  }

  /** Measures now and then what is put, so that large values are known before the commit encodes them all. */
  protected sample(value: unknown, headers: Headers = NO_HEADERS): void {
    if (typeof value !== "object" && typeof value !== "string" && headers.length === 0) return
    if (this.#puts++ % SAMPLE_INTERVAL !== 0 || value === undefined) return
    const bytes = typeof value === "string" ? value.length : this.#encode(value).length
    this.#learn(bytes + sizeOfHeaders(headers))
  }

  #learn(bytes: number): void {
    this.#valueBytes = this.#valueBytes === 0 ? bytes : this.#valueBytes + (bytes - this.#valueBytes) * SAMPLE_WEIGHT
  }

  /** For stores without transactions: a number that reaches the engine with what is put beside it. */
  protected putCell(name: string, value: number): void {
    this.committed.put(CELL_PREFIX + name, rowOf(double(value), Math.max(0, value)))
    this.#cells.delete(name)
  }

  /** Encodes the open transaction's changes and keeps their bytes until its outcome is known. */
  stage(): readonly StagedWrite[] {
    this.#staged = []
    this.stageEntries((key, value, timestamp, entry) => {
      const headers = value === undefined || entry === undefined ? NO_HEADERS : entry.headers
      const stored = value === undefined ? null : rowOf(this.#encode(value), timestamp, headers)
      this.#staged.push({ key, value: stored, timestamp, headers })
      if (entry !== undefined) entry.staged = stored
    })
    for (const [name, cell] of this.#cells) {
      if (!cell.isDirty) continue
      const timestamp = Math.max(0, cell.value)
      const value = rowOf(double(cell.value), timestamp)
      this.#staged.push({ key: CELL_PREFIX + name, value, timestamp, headers: NO_HEADERS })
    }
    return this.#staged
  }

  /** Calls back with each stored key and its bytes, null when deleted, as a transaction's changes become committed. */
  onMerge(listener: (key: string, value: Uint8Array | null) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  merge(): void {
    for (const { key, value } of this.#staged) this.committed.put(key, value)
    for (const listener of this.#listeners) for (const { key, value } of this.#staged) listener(key, value)
    this.#staged = []
    for (const cell of this.#cells.values()) cell.commit()
    this.closeOverlay(true)
  }

  rollback(): void {
    this.#staged = []
    for (const cell of this.#cells.values()) cell.rollback()
    this.closeOverlay(false)
  }

  /** One committed record of the changelog, while the store is not in use. */
  restore(key: Uint8Array, value: Uint8Array | null, timestamp: number, headers: Headers = NO_HEADERS): void {
    this.committed.put(byteString(key), value && rowOf(value, timestamp, headers))
    this.forgetReads()
  }

  /** The committed bytes were changed from outside: what is known of them is read again. */
  forgetReads(): void {
    this.#cells.clear()
  }

  #encode(value: unknown): Uint8Array {
    try {
      return this.spec.value.encode(value)
    } catch (cause) {
      throw new StateError(`store "${this.spec.name}": ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
    }
  }

  /**
   * What a read hands out: the transaction's one value, or a copy where callbacks that change it may fail and be skipped.
   * The time and headers of a deletion are the changelog's: once it is committed nobody knows them.
   */
  protected unshared<V>(entry: OverlayEntry<V>): Stamped<V> {
    const { value, timestamp, headers } = entry
    if (value === undefined) return NOTHING
    if (this.spec.copies !== true || typeof value !== "object" || value === null) return entry
    return { value: this.spec.value.decode(this.#encode(value)), timestamp, headers }
  }

  /** What the open transaction has written, by stored key: as `stage` would write it now; null where it deletes. */
  uncommitted(): ReadonlyMap<string, Uint8Array | null> {
    const written = new Map<string, Uint8Array | null>()
    this.stageEntries((key, value, timestamp, entry) => {
      written.set(key, value === undefined ? null : rowOf(this.#encode(value), timestamp, entry?.headers))
    })
    return written
  }

  /** An overlay's entry, from what is committed. */
  protected loadEntry<V>(key: unknown, bytes: string): OverlayEntry<V> {
    const stored = this.committed.get(bytes)
    const { value, timestamp, headers = NO_HEADERS } = this.decode(stored)
    // The engine's bytes are valid until it is asked again; what is no object is not decoded a second time.
    const isRead = typeof value !== "object" && headers.length === 0
    const entry = new OverlayEntry<V>(key, bytes, value, timestamp, stored && !isRead ? Buffer.from(stored) : undefined)
    entry.headers = headers
    return entry
  }

  /** The same for an entry that an earlier transaction used. */
  protected readonly reloadEntry = (entry: OverlayEntry<any>): void => {
    const { value, timestamp, headers = NO_HEADERS } = this.decode(entry.committed)
    entry.value = value
    entry.timestamp = timestamp
    entry.headers = headers
  }

  /** Decodes stored bytes; the value is undefined when there are none. Of a store that keeps headers there are some always. */
  decode(stored: Uint8Array | undefined): { value: any; timestamp: number; headers?: Headers } {
    if (stored === undefined) return { value: undefined, timestamp: NO_TIME }
    const at = timestampAt(stored)
    const value = this.spec.value.decode(stored.subarray(at + TIMESTAMP_BYTES))
    const timestamp = readDouble(stored, at)
    return this.spec.headers === true ? { value, timestamp, headers: headersOf(stored) } : { value, timestamp }
  }
}

function double(value: number): Uint8Array {
  const out = Buffer.allocUnsafe(8)
  out.writeDoubleBE(value, 0)
  return out
}

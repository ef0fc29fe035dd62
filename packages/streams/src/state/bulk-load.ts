/**
 * Changelog records on their way into an engine while nobody reads the store: a restore's way past the memtable, which must
 * be empty.
 *
 * Many records are kept with next to nothing for each: its key with its number behind it as one string, its row in one piece
 * of memory for all. Sorted, these strings are in the order of keys, and of one key in the order of records, of which only
 * the last is written. An engine takes rows in order at a fraction of what it takes them for at random: those of the same
 * page come together. (Where one key is the beginning of another the numbers may come between: then rows are a little out
 * of order, or a key is written twice, its last record last.)
 */
import { type Headers, NO_HEADERS } from "../dsl/record.ts"
import type { CommittedBytes } from "./committed.ts"
import type { Checkpoint, EngineWrite } from "./engine.ts"
import { rowHead, TIMESTAMP_BYTES } from "./row.ts"

/** Characters of a record's number. */
const NUMBER_LENGTH = 4
/** A string's and an array element's, twice. */
const OVERHEAD_BYTES = 48
const VALUES_BYTES_MIN = 64 * 1024
const KEY_BYTES = 4_096

export class BulkLoad {
  readonly #committed: CommittedBytes
  readonly #bytesMax: () => number
  #keys: string[] = []
  /** Where each value begins; -1 for one that is deleted. */
  #starts: number[] = []
  #ends: number[] = []
  #values = Buffer.allocUnsafeSlow(VALUES_BYTES_MIN)
  #valueBytes = 0
  #keyBytes = 0
  #scratch = Buffer.allocUnsafeSlow(KEY_BYTES)

  constructor(committed: CommittedBytes, bytesMax: () => number) {
    this.#committed = committed
    this.#bytesMax = bytesMax
  }

  add(key: Uint8Array, value: Uint8Array | null, timestamp: number, headers: Headers = NO_HEADERS): void {
    const end = key.length + NUMBER_LENGTH
    if (end > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(2 * end)
    this.#scratch.set(key)
    this.#scratch.writeUInt32BE(this.#keys.length, key.length)
    this.#keys.push(this.#scratch.toString("latin1", 0, end))
    this.#keyBytes += end + OVERHEAD_BYTES
    if (value === null) {
      this.#starts.push(-1)
      this.#ends.push(-1)
      return
    }
    const start = this.#valueBytes
    const head = headers.length === 0 ? undefined : rowHead(headers)
    const timestampAt = start + (head?.length ?? 0)
    this.#valueBytes = timestampAt + TIMESTAMP_BYTES + value.length
    if (this.#valueBytes > this.#values.length) this.#grow()
    if (head !== undefined) this.#values.set(head, start)
    this.#values.writeDoubleBE(timestamp, timestampAt)
    this.#values.set(value, timestampAt + TIMESTAMP_BYTES)
    this.#starts.push(start)
    this.#ends.push(this.#valueBytes)
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#values.length, this.#valueBytes))
    larger.set(this.#values)
    this.#values = larger
  }

  get isFull(): boolean {
    return this.#keyBytes + this.#valueBytes >= this.#bytesMax()
  }

  /** Hands everything to the engine, once that has taken what it was handed before. */
  async flush(checkpoint: Checkpoint): Promise<void> {
    await this.#committed.settle()
    this.#committed.write(this.#takeRows(), checkpoint)
  }

  /** Writes the rest. The engine is at rest then, and the store can be read. */
  async end(checkpoint: Checkpoint): Promise<void> {
    if (this.#keys.length > 0) await this.flush(checkpoint)
    await this.#committed.settle()
  }

  #takeRows(): EngineWrite[] {
    const keys = this.#keys.sort()
    const rows: EngineWrite[] = []
    for (let at = 0; at < keys.length; at++) {
      const numbered = keys[at]!
      const key = numbered.slice(0, -NUMBER_LENGTH)
      const next = keys[at + 1]
      if (next !== undefined && next.length === numbered.length && next.startsWith(key)) continue
      const number = numberOf(numbered)
      const start = this.#starts[number]!
      rows.push({ key, value: start < 0 ? null : this.#values.subarray(start, this.#ends[number]) })
    }
    this.#keys = []
    this.#starts = []
    this.#ends = []
    // The rows are views of what was there, and an engine in memory keeps them: it is no more than twice what they take.
    this.#values = Buffer.allocUnsafeSlow(VALUES_BYTES_MIN)
    this.#valueBytes = 0
    this.#keyBytes = 0
    return rows
  }
}

function numberOf(numbered: string): number {
  const at = numbered.length - NUMBER_LENGTH
  const byte = (index: number) => numbered.charCodeAt(at + index)
  return byte(0) * 0x1000000 + ((byte(1) << 16) | (byte(2) << 8) | byte(3))
}

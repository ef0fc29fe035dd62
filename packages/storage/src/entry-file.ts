/**
 * A file of fixed-size entries that only grows at its end, held in memory as the bytes that are on disk.
 *
 * Entries are added in memory and written when the segment rolls, flushes or closes. Nothing is lost by that: after a
 * crash the indexes of every segment that was not flushed are rebuilt from the log, whatever their files hold.
 */
import { type Disk, invariant } from "@millrace/host"
import { CorruptLogError } from "./faults.ts"

const INITIAL_ENTRIES = 64

export class EntryFile {
  readonly path: string
  readonly entryBytes: number
  readonly #disk: Disk
  #bytes: Uint8Array
  #count = 0
  /** Entries from here on are not in the file. */
  #written = 0
  /** The file holds something that `#written` does not account for. */
  #stale = false
  #synced = true

  constructor(disk: Disk, path: string, entryBytes: number) {
    this.#disk = disk
    this.path = path
    this.entryBytes = entryBytes
    this.#bytes = new Uint8Array(0)
  }

  get count(): number {
    return this.#count
  }

  /** Bytes that the entries take. */
  get bytesUsed(): number {
    return this.#count * this.entryBytes
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** Takes the file's entries; false when there is no such file. */
  load(): boolean {
    const content = this.#disk.readFile(this.path)
    if (content === undefined) return false
    if (content.length % this.entryBytes !== 0) {
      throw new CorruptLogError(
        this.path,
        content.length - (content.length % this.entryBytes),
        "it ends in half an entry",
      )
    }
    this.#bytes = content
    this.#count = this.#written = content.length / this.entryBytes
    this.#stale = false
    return true
  }

  /** Makes room for one entry and returns its first byte in `bytes`, which the caller fills. */
  push(): number {
    const at = this.#count * this.entryBytes
    if (at + this.entryBytes > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, INITIAL_ENTRIES * this.entryBytes))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
    }
    this.#count++
    return at
  }

  /** Keeps the first `count` entries. */
  truncate(count: number): void {
    invariant(count <= this.#count, "an index is truncated to more entries than it has")
    this.#count = count
    if (this.#written > count) {
      this.#written = count
      this.#stale = true
    }
  }

  /** Forgets all entries; the file is emptied by the next `write`. */
  reset(): void {
    this.#count = this.#written = 0
    this.#stale = true
  }

  /** Writes what the file does not hold. `create` makes an empty file too. */
  write(create: boolean): void {
    if (!this.#stale && this.#written === this.#count && (this.#count > 0 || !create)) return
    if (this.#count === 0 && !create && !this.#disk.exists(this.path)) {
      this.#stale = false
      return
    }
    const from = this.#written * this.entryBytes
    const to = this.#count * this.entryBytes
    const file = this.#disk.open(this.path, { create: true })
    try {
      if (to > from) file.write([this.#bytes.subarray(from, to)], from)
      if (this.#stale) file.truncate(to)
    } finally {
      file.close()
    }
    this.#written = this.#count
    this.#stale = false
    this.#synced = false
  }

  /** Makes what is written durable; the caller syncs the directory. */
  sync(): void {
    if (this.#synced) return
    const file = this.#disk.open(this.path)
    try {
      file.sync()
    } finally {
      file.close()
    }
    this.#synced = true
  }

  /** Drops the entries from memory; `load` brings them back. Only what is written may be dropped. */
  release(): void {
    invariant(this.#written === this.#count && !this.#stale, `${this.path} is released before it is written`)
    this.#bytes = new Uint8Array(0)
    this.#count = this.#written = 0
  }
}

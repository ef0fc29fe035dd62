/**
 * The records of a file as plain values, from a position on: the disk port, a scanner, and for tables the header.
 *
 * A position is the start of the file or the `end` of a record. The reader keeps the file open, so that a renamed file is
 * read to its end. Bytes of a followed file that are no complete record yet stay unread.
 */
import type { Disk, DiskFile } from "@millrace/host"
import { CsvScanner } from "./format/csv.ts"
import { JsonArrayScanner } from "./format/json-array.ts"
import { JsonLinesScanner, LineScanner } from "./format/lines.ts"
import { FormatError, type ScannedRecord, type Scanner } from "./format/scanner.ts"
import { delimiterOf, type FileSourceSettings, type Format, formatOf } from "./file-config.ts"

const CHUNK_BYTES = 64 * 1024

export class RecordReader {
  readonly #settings: FileSourceSettings
  readonly #format: Format
  readonly #file: DiskFile
  readonly #scanner: Scanner
  readonly #columns: readonly string[]
  /** Position of the first byte that was not given to the scanner. */
  #read: number
  #end: number

  constructor(disk: Disk, settings: FileSourceSettings, position = 0) {
    this.#settings = settings
    this.#format = formatOf(settings)
    this.#file = disk.open(settings.file, { readOnly: true })
    this.#columns = settings["csv.columns"]
    let start = position
    if (this.#format === "csv" && settings["csv.header"]) {
      const header = this.#readHeader()
      if (this.#columns.length === 0) this.#columns = header.columns
      start = Math.max(start, header.end)
    }
    this.#read = start
    this.#end = start
    this.#scanner = this.#createScanner(start)
  }

  /** Where reading goes on: after the last record that `next` answered. */
  get position(): number {
    return this.#end
  }
  get sizeBytes(): number {
    return this.#file.size()
  }

  /** The next record, or undefined at the end. In a followed file an unfinished last record is not at hand yet. */
  next(): ScannedRecord | undefined {
    for (;;) {
      const record = this.#scanner.next(false)
      if (record) return this.#answer(record)
      if (this.#fill()) continue
      const last = this.#settings.tail ? undefined : this.#scanner.next(true)
      return last ? this.#answer(last) : undefined
    }
  }

  close(): void {
    this.#file.close()
  }

  #fill(): boolean {
    const chunk = new Uint8Array(CHUNK_BYTES)
    const count = this.#file.read(chunk, 0, CHUNK_BYTES, this.#read)
    if (count === 0) return false
    this.#read += count
    this.#scanner.push(chunk.subarray(0, count))
    return true
  }

  #answer(record: ScannedRecord): ScannedRecord {
    const start = this.#end
    this.#end = record.end
    if (this.#format !== "csv") return record
    return { value: this.#row(record.value as readonly string[], start), end: record.end }
  }

  #row(cells: readonly string[], position: number): Record<string, string> {
    const columns = this.#columns
    if (columns.length !== cells.length) {
      throw new FormatError(position, `a row of ${cells.length} cells in a table of ${columns.length} columns`)
    }
    const row: Record<string, string> = {}
    for (const [index, name] of columns.entries()) row[name] = cells[index]!
    return row
  }

  #readHeader(): { readonly columns: readonly string[]; readonly end: number } {
    const scanner = new CsvScanner(this.#scannerOptions(0))
    for (let position = 0; ;) {
      const row = scanner.next(false)
      if (row) return { columns: row.value, end: row.end }
      const chunk = new Uint8Array(CHUNK_BYTES)
      const count = this.#file.read(chunk, 0, CHUNK_BYTES, position)
      if (count === 0) {
        const last = scanner.next(true)
        if (!last) throw new FormatError(0, "the table has no header")
        return { columns: last.value, end: last.end }
      }
      position += count
      scanner.push(chunk.subarray(0, count))
    }
  }

  #createScanner(position: number): Scanner {
    const options = this.#scannerOptions(position)
    switch (this.#format) {
      case "json-array":
        return new JsonArrayScanner(options)
      case "json-lines":
        return new JsonLinesScanner(options)
      case "csv":
        return new CsvScanner(options)
      case "lines":
        return new LineScanner(options)
    }
  }

  #scannerOptions = (position: number) => ({
    position,
    recordBytesMax: this.#settings["record.bytes.max"],
    delimiter: delimiterOf(this.#settings),
  })
}

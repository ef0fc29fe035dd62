/**
 * Rows of comma-separated values as RFC 4180 has them: cells may be quoted, a quoted cell may hold delimiters, line ends
 * and doubled quotes. Blank lines are skipped. A row's `end` is the start of the next line.
 *
 *   cell start ─ " ─▶ quoted ─ " ─▶ quote seen ─ delimiter ─▶ cell start
 *       │                ▲             │ "                 ─ line end ─▶ row
 *       └─ other ─▶ bare └─────────────┘
 */
import { ByteWindow } from "./byte-window.ts"
import { tooLong } from "./lines.ts"
import {
  byteOrderMarkLength,
  CR,
  FormatError,
  LF,
  QUOTE,
  type ScannedRecord,
  type Scanner,
  type ScannerOptions,
} from "./scanner.ts"

type Place = "cell-start" | "bare" | "quoted" | "quote-seen" | "quote-return"

export interface CsvScannerOptions extends ScannerOptions {
  /** One ASCII character. */
  readonly delimiter: string
}

export class CsvScanner implements Scanner {
  readonly #window: ByteWindow
  readonly #recordBytesMax: number
  readonly #delimiter: number
  #marked: boolean
  #place: Place = "cell-start"
  #scanned = 0
  #cellStart = 0
  #cells: string[] = []
  constructor(options: CsvScannerOptions) {
    this.#window = new ByteWindow(options.position)
    this.#recordBytesMax = options.recordBytesMax
    this.#delimiter = options.delimiter.charCodeAt(0)
    this.#marked = options.position === 0
  }
  push(chunk: Uint8Array): void {
    this.#window.push(chunk)
  }
  next(atEnd: boolean): (ScannedRecord & { readonly value: readonly string[] }) | undefined {
    const window = this.#window
    if (this.#marked && !this.#skipMark(atEnd)) return undefined
    for (; this.#scanned < window.length; this.#scanned++) {
      const byte = window.at(this.#scanned)
      if (byte === LF && this.#place !== "quoted") {
        const row = this.#endRow(this.#scanned, 1)
        if (row) return row
        this.#scanned = -1
      } else this.#byte(byte)
    }
    if (window.length > this.#recordBytesMax) throw tooLong(window.position, this.#recordBytesMax)
    if (!atEnd || window.length === 0) return undefined
    if (this.#place === "quoted") throw new FormatError(window.position, "the file ends inside a quoted cell")
    return this.#endRow(window.length, 0)
  }

  #byte(byte: number): void {
    switch (this.#place) {
      case "cell-start":
      case "bare":
        if (byte === this.#delimiter) this.#endCell(this.#scanned)
        else if (byte !== QUOTE) this.#place = "bare"
        else if (this.#place === "cell-start") this.#place = "quoted"
        else throw this.#error("a quote inside a cell that does not start with one")
        return
      case "quoted":
        if (byte === QUOTE) this.#place = "quote-seen"
        return
      case "quote-seen":
        if (byte === QUOTE) this.#place = "quoted"
        else if (byte === this.#delimiter) this.#endCell(this.#scanned)
        else if (byte === CR) this.#place = "quote-return"
        else throw this.#error("text after the closing quote of a cell")
        return
      case "quote-return":
        throw this.#error("a carriage return without a line feed after the closing quote of a cell")
    }
  }

  #endCell(end: number): void {
    this.#cells.push(this.#cell(end))
    this.#cellStart = end + 1
    this.#place = "cell-start"
  }

  #cell(end: number): string {
    const quoted = this.#place === "quote-seen" || this.#place === "quote-return"
    const text = this.#window.text(this.#cellStart, end)
    return quoted ? text.slice(1, -1).replaceAll('""', '"') : text
  }

  /** Undefined for a blank line. */
  #endRow(lineEnd: number, terminator: number) {
    const window = this.#window
    if (lineEnd > this.#recordBytesMax) throw tooLong(window.position, this.#recordBytesMax)
    const end = lineEnd > this.#cellStart && window.at(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd
    const blank = this.#cells.length === 0 && end === this.#cellStart
    if (!blank) this.#cells.push(this.#cell(end))
    const value = this.#cells
    window.consume(lineEnd + terminator)
    this.#cells = []
    this.#cellStart = 0
    this.#scanned = 0
    this.#place = "cell-start"
    return blank ? undefined : { value, end: window.position }
  }

  #skipMark(atEnd: boolean): boolean {
    const window = this.#window
    const length = byteOrderMarkLength(window.length, (index) => window.at(index), atEnd)
    if (length === undefined) return false
    window.consume(length)
    this.#marked = false
    return true
  }

  #error(reason: string): FormatError {
    return new FormatError(this.#window.position + this.#scanned, reason)
  }
}

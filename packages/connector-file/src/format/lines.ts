/**
 * Lines of text, and JSON lines on top of them: one value a line, blank lines skipped. A line ends with LF or CR LF; the
 * last one may lack it.
 */
import { ByteWindow } from "./byte-window.ts"
import {
  byteOrderMarkLength,
  CR,
  FormatError,
  LF,
  parseJson,
  type ScannedRecord,
  type Scanner,
  type ScannerOptions,
} from "./scanner.ts"

export class LineScanner implements Scanner {
  readonly #window: ByteWindow
  readonly #recordBytesMax: number
  #scanned = 0
  #marked: boolean
  constructor(options: ScannerOptions) {
    this.#window = new ByteWindow(options.position)
    this.#recordBytesMax = options.recordBytesMax
    this.#marked = options.position === 0
  }
  push(chunk: Uint8Array): void {
    this.#window.push(chunk)
  }
  next(atEnd: boolean): (ScannedRecord & { readonly value: string }) | undefined {
    const window = this.#window
    if (this.#marked && !this.#skipMark(atEnd)) return undefined
    let end = window.indexOf(LF, this.#scanned)
    const terminated = end >= 0
    if (!terminated) {
      this.#scanned = window.length
      if (this.#scanned > this.#recordBytesMax) throw tooLong(window.position, this.#recordBytesMax)
      if (!atEnd || window.length === 0) return undefined
      end = window.length
    }
    if (end > this.#recordBytesMax) throw tooLong(window.position, this.#recordBytesMax)
    const textEnd = end > 0 && window.at(end - 1) === CR ? end - 1 : end
    const value = window.text(0, textEnd)
    window.consume(terminated ? end + 1 : end)
    this.#scanned = 0
    return { value, end: window.position }
  }
  #skipMark(atEnd: boolean): boolean {
    const length = byteOrderMarkLength(this.#window.length, (index) => this.#window.at(index), atEnd)
    if (length === undefined) return false
    this.#window.consume(length)
    this.#marked = false
    return true
  }
}

export class JsonLinesScanner implements Scanner {
  readonly #lines: LineScanner
  #position: number
  constructor(options: ScannerOptions) {
    this.#lines = new LineScanner(options)
    this.#position = options.position
  }
  push(chunk: Uint8Array): void {
    this.#lines.push(chunk)
  }
  next(atEnd: boolean): ScannedRecord | undefined {
    for (;;) {
      const line = this.#lines.next(atEnd)
      if (!line) return undefined
      const start = this.#position
      this.#position = line.end
      if (line.value.trim() !== "") return { value: parseJson(line.value, start), end: line.end }
    }
  }
}

export const tooLong = (position: number, max: number): FormatError =>
  new FormatError(position, `the record is longer than ${max} bytes (record.bytes.max)`)

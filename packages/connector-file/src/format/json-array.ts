/**
 * One JSON array of any size: its elements are found without reading the file whole.
 *
 *            ┌────────────── , ───────────────┐
 *   start ─ [ ─▶ element or ] ─ bytes ─▶ , or ] ─ ] ─▶ done
 *
 * Within an element only nesting and strings are followed; JSON.parse judges the rest. An element's `end` is the position
 * of the comma or bracket after it, so a scanner that starts at a position other than 0 expects one of the two.
 */
import { ByteWindow } from "./byte-window.ts"
import { tooLong } from "./lines.ts"
import {
  byteOrderMarkLength,
  FormatError,
  parseJson,
  QUOTE,
  type ScannedRecord,
  type Scanner,
  type ScannerOptions,
} from "./scanner.ts"

const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

type Place = "before-array" | "first-element" | "element" | "after-element" | "done"

export class JsonArrayScanner implements Scanner {
  readonly #window: ByteWindow
  readonly #recordBytesMax: number
  #place: Place
  #scanned = 0
  #depth = 0
  #inString = false
  #escaped = false
  constructor(options: ScannerOptions) {
    this.#window = new ByteWindow(options.position)
    this.#recordBytesMax = options.recordBytesMax
    this.#place = options.position === 0 ? "before-array" : "after-element"
  }
  push(chunk: Uint8Array): void {
    this.#window.push(chunk)
  }
  next(atEnd: boolean): ScannedRecord | undefined {
    while (this.#place !== "element") if (!this.#step(atEnd)) return undefined
    return this.#element(atEnd)
  }

  /** Takes one token outside elements. False: nothing more here for now. */
  #step(atEnd: boolean): boolean {
    if (this.#place === "before-array" && !this.#skipMark(atEnd)) return false
    const window = this.#window
    let index = 0
    while (index < window.length && isBlank(window.at(index))) index++
    window.consume(index)
    if (window.length === 0) {
      if (atEnd && this.#place !== "done") throw new FormatError(window.position, "the file ends inside the array")
      return false
    }
    this.#token(window.at(0))
    return true
  }

  #token(byte: number): void {
    switch (this.#place) {
      case "before-array":
        if (byte !== OPEN_BRACKET) throw this.#unexpected(byte, "[")
        this.#place = "first-element"
        return this.#window.consume(1)
      case "first-element":
        this.#place = byte === CLOSE_BRACKET ? "done" : "element"
        return this.#window.consume(byte === CLOSE_BRACKET ? 1 : 0)
      case "after-element":
        if (byte !== COMMA && byte !== CLOSE_BRACKET) throw this.#unexpected(byte, ", or ]")
        this.#place = byte === COMMA ? "element" : "done"
        return this.#window.consume(1)
      case "done":
        throw this.#unexpected(byte, "nothing after the array")
    }
  }

  #element(atEnd: boolean): ScannedRecord | undefined {
    const window = this.#window
    for (; this.#scanned < window.length; this.#scanned++) {
      const byte = window.at(this.#scanned)
      if (this.#inString) this.#insideString(byte)
      else if (byte === QUOTE) this.#inString = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++
      else if (this.#depth > 0) {
        if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--
      } else if (byte === COMMA || byte === CLOSE_BRACKET) return this.#cut()
    }
    if (window.length > this.#recordBytesMax) throw tooLong(window.position, this.#recordBytesMax)
    if (atEnd) throw new FormatError(window.position, "the file ends inside an element of the array")
    return undefined
  }

  #insideString(byte: number): void {
    if (this.#escaped) this.#escaped = false
    else if (byte === BACKSLASH) this.#escaped = true
    else if (byte === QUOTE) this.#inString = false
  }

  #cut(): ScannedRecord {
    const window = this.#window
    if (this.#scanned > this.#recordBytesMax) throw tooLong(window.position, this.#recordBytesMax)
    const value = parseJson(window.text(0, this.#scanned), window.position)
    window.consume(this.#scanned)
    this.#scanned = 0
    this.#place = "after-element"
    return { value, end: window.position }
  }

  #skipMark(atEnd: boolean): boolean {
    const window = this.#window
    const length = byteOrderMarkLength(window.length, (index) => window.at(index), atEnd)
    if (length !== undefined) window.consume(length)
    return length !== undefined
  }

  #unexpected(byte: number, expected: string): FormatError {
    return new FormatError(this.#window.position, `expected ${expected}, found ${String.fromCharCode(byte)}`)
  }
}

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

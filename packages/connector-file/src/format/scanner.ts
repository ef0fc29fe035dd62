/**
 * A scanner finds the records in a stream of bytes, however the stream is cut into chunks.
 *
 * It is pure: bytes are pushed in, records are taken out. `end` is the position in the file at which a scanner of the
 * same format, started there, goes on with the next record: the offset that a source stores.
 */
export interface ScannedRecord {
  /** A JSON value, the cells of a CSV row, or a line of text. */
  readonly value: unknown
  readonly end: number
}

export interface Scanner {
  push(chunk: Uint8Array): void
  /**
   * The next complete record, or undefined when more bytes are needed. `atEnd` says that none will come: what is left is
   * then a last record without terminator, or malformed.
   */
  next(atEnd: boolean): ScannedRecord | undefined
}

export interface ScannerOptions {
  /** Where in the file scanning starts: 0, or the `end` of a record. */
  readonly position: number
  readonly recordBytesMax: number
}

/** Bytes that are not the format. `position` is where in the file. */
export class FormatError extends Error {
  override readonly name = "FormatError"
  readonly position: number
  constructor(position: number, reason: string) {
    super(`${reason}, at byte ${position}`)
    this.position = position
  }
}

export const LF = 0x0a
export const CR = 0x0d
export const QUOTE = 0x22

/** The length of a UTF-8 byte order mark that the bytes start with. Undefined: too few bytes to tell. */
export function byteOrderMarkLength(length: number, at: (index: number) => number, atEnd: boolean): number | undefined {
  const mark = [0xef, 0xbb, 0xbf]
  for (const [index, byte] of mark.entries()) {
    if (index >= length) return atEnd ? 0 : undefined
    if (at(index) !== byte) return 0
  }
  return mark.length
}

export function parseJson(text: string, position: number): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new FormatError(position, `not JSON: ${(cause as Error).message}`)
  }
}

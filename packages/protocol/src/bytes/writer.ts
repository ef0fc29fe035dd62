/**
 * Writes one message into a buffer that grows, in one pass. Lengths of what is written later are patched in behind.
 *
 * Large `records` are not copied: the writer notes where they belong and `chunks()` hands them out between the pieces
 * of its own bytes. Such a chunk is the caller's buffer itself, which must stay unchanged until it is sent.
 *
 * Each call checks its value: an integer out of range or a missing string is a `WireFault`, never a silent zero.
 */
import { WireFault } from "./fault.ts"
import { INT64_MAX, INT64_MIN } from "./int64.ts"
import { STRING_BYTES_MAX } from "./reader.ts"
import { type Uuid, writeUuid, ZERO_UUID } from "./uuid.ts"

/** From this size on `records` become a chunk of their own; below, a copy is cheaper than one more write. */
const SPLICE_BYTES_MIN = 1024
/** Strings up to this length are ASCII in practice and written by a loop: a call into native code costs more. */
const SHORT_STRING_LENGTH_MAX = 24
const START_BYTES = 4096

export class Writer {
  /** Length of what was written, spliced chunks included. */
  get length(): number {
    return this.pos + this.splicedBytes
  }
  /** Whether `records` may become chunks of their own. */
  splicing = false

  private bytes: Buffer = Buffer.allocUnsafeSlow(START_BYTES)
  private view = new DataView(this.bytes.buffer)
  private pos = 0
  private splices: { at: number; bytes: Uint8Array }[] = []
  private splicedBytes = 0
  private tagDepth = 0

  /** Forgets what was written and keeps the buffer, unless a huge message has blown it up. */
  reset(keepBytesMax: number): void {
    if (this.bytes.length > keepBytesMax) {
      this.bytes = Buffer.allocUnsafeSlow(START_BYTES)
      this.view = new DataView(this.bytes.buffer)
    }
    this.pos = 0
    this.splices = []
    this.splicedBytes = 0
    this.tagDepth = 0
    this.splicing = false
  }

  /** A copy of all that was written, spliced chunks left out. */
  take(): Uint8Array {
    return this.piece(0, this.pos)
  }

  /** What was written, in order: own bytes (copied) and spliced buffers (as they are). */
  chunks(): Uint8Array[] {
    if (this.splices.length === 0) return [this.take()]
    const chunks: Uint8Array[] = []
    let from = 0
    for (const { at, bytes } of this.splices) {
      if (at > from) chunks.push(this.piece(from, at))
      chunks.push(bytes)
      from = at
    }
    if (this.pos > from) chunks.push(this.piece(from, this.pos))
    return chunks
  }

  private piece(from: number, to: number): Uint8Array {
    const copy = Buffer.allocUnsafe(to - from)
    this.bytes.copy(copy, 0, from, to)
    return copy
  }

  fail(reason: string): never {
    throw new WireFault(reason, this.pos)
  }

  /**
   * Makes room for `size` bytes and answers where. It may replace `bytes` and `view`: call it in a statement of its own,
   * `this.view.setInt8(this.room(1), …)` would write into the old buffer.
   */
  private room(size: number): number {
    const at = this.pos
    if (at + size > this.bytes.length) this.grow(at + size)
    this.pos = at + size
    return at
  }

  private grow(size: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(size, this.bytes.length * 2))
    this.bytes.copy(bytes, 0, 0, this.pos)
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }

  int8(value: number): void {
    if (value !== (value << 24) >> 24) this.fail(`${describe(value)} is no int8`)
    const at = this.room(1)
    this.view.setInt8(at, value)
  }
  int16(value: number): void {
    if (value !== (value << 16) >> 16) this.fail(`${describe(value)} is no int16`)
    const at = this.room(2)
    this.view.setInt16(at, value)
  }
  uint16(value: number): void {
    if (value !== (value & 0xffff)) this.fail(`${describe(value)} is no uint16`)
    const at = this.room(2)
    this.view.setUint16(at, value)
  }
  int32(value: number): void {
    if (value !== (value | 0)) this.fail(`${describe(value)} is no int32`)
    const at = this.room(4)
    this.view.setInt32(at, value)
  }
  uint32(value: number): void {
    if (value !== value >>> 0) this.fail(`${describe(value)} is no uint32`)
    const at = this.room(4)
    this.view.setUint32(at, value)
  }
  float64(value: number): void {
    if (typeof value !== "number") this.fail(`${describe(value)} is no number`)
    const at = this.room(8)
    this.view.setFloat64(at, value)
  }
  bool(value: boolean): void {
    if (typeof value !== "boolean") this.fail(`${describe(value)} is no boolean`)
    const at = this.room(1)
    this.view.setInt8(at, value ? 1 : 0)
  }

  int64(value: number): void {
    let high: number
    let low: number
    if (Number.isSafeInteger(value)) {
      high = Math.floor(value / 4294967296)
      low = value >>> 0
    } else if (value === INT64_MAX) {
      high = 0x7fffffff
      low = 0xffffffff
    } else if (value === INT64_MIN) {
      high = -0x80000000
      low = 0
    } else this.fail(`${describe(value)} is no safe 64-bit integer`)
    const at = this.room(8)
    this.view.setInt32(at, high)
    this.view.setUint32(at + 4, low)
  }

  uuid(value: Uuid): void {
    const at = this.room(16)
    if (value === ZERO_UUID) this.bytes.fill(0, at, at + 16)
    else if (typeof value !== "string" || !writeUuid(value, this.bytes, at)) {
      this.fail(`${describe(value)} is no uuid (22 characters of base64url)`)
    }
  }

  uvarint(value: number): void {
    if (value < 0x80) {
      this.byte(value)
      return
    }
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  private byte(value: number): void {
    const at = this.room(1)
    this.bytes[at] = value
  }

  string(value: string): void {
    if (typeof value !== "string") this.fail(`${describe(value)} is no string`)
    const at = this.room(2)
    const size = this.text(value)
    this.view.setInt16(at, size)
  }
  nullableString(value: string | null): void {
    if (value === null) this.int16(-1)
    else this.string(value)
  }
  compactString(value: string): void {
    if (typeof value !== "string") this.fail(`${describe(value)} is no string`)
    if (value.length * 3 + 1 < 0x80) {
      const at = this.room(1)
      const size = this.text(value)
      this.bytes[at] = size + 1
    } else {
      const size = Buffer.byteLength(value)
      this.uvarint(size + 1)
      this.text(value)
    }
  }
  compactNullableString(value: string | null): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value)
  }

  /** Writes the UTF-8 of `value` and answers its size. */
  private text(value: string): number {
    const { length } = value
    const start = this.pos
    if (start + length * 3 > this.bytes.length) this.grow(start + length * 3)
    const { bytes } = this
    let size = 0
    if (length <= SHORT_STRING_LENGTH_MAX) {
      for (; size < length; size++) {
        const code = value.charCodeAt(size)
        if (code > 0x7f) break
        bytes[start + size] = code
      }
    }
    if (size < length) size = bytes.write(value, start)
    if (size > STRING_BYTES_MAX) this.fail(`a string of ${size} bytes, at most ${STRING_BYTES_MAX} are allowed`)
    this.pos = start + size
    return size
  }

  bytesOf(value: Uint8Array): void {
    this.checkBytes(value)
    this.int32(value.length)
    this.raw(value)
  }
  nullableBytesOf(value: Uint8Array | null): void {
    if (value === null) this.int32(-1)
    else this.bytesOf(value)
  }
  compactBytesOf(value: Uint8Array): void {
    this.checkBytes(value)
    this.uvarint(value.length + 1)
    this.raw(value)
  }
  compactNullableBytesOf(value: Uint8Array | null): void {
    if (value === null) this.uvarint(0)
    else this.compactBytesOf(value)
  }

  records(value: Uint8Array): void {
    this.checkBytes(value)
    this.int32(value.length)
    this.splice(value)
  }
  nullableRecords(value: Uint8Array | null): void {
    if (value === null) this.int32(-1)
    else this.records(value)
  }
  compactRecords(value: Uint8Array): void {
    this.checkBytes(value)
    this.uvarint(value.length + 1)
    this.splice(value)
  }
  compactNullableRecords(value: Uint8Array | null): void {
    if (value === null) this.uvarint(0)
    else this.compactRecords(value)
  }

  /** Element count of an array, -1 for null. */
  arrayLength(count: number, compact: boolean): void {
    if (compact) this.uvarint(count + 1)
    else this.int32(count)
  }

  raw(value: Uint8Array): void {
    const at = this.room(value.length)
    this.bytes.set(value, at)
  }

  private splice(value: Uint8Array): void {
    if (!this.splicing || this.tagDepth > 0 || value.length < SPLICE_BYTES_MIN) this.raw(value)
    else {
      this.splices.push({ at: this.pos, bytes: value })
      this.splicedBytes += value.length
    }
  }

  private checkBytes(value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) this.fail(`${describe(value)} is no Uint8Array`)
  }

  /** Opens a tagged field; its size is not known yet, one byte is kept for it. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    this.tagDepth++
    return this.room(1) + 1
  }

  /** Closes the tagged field that began at `start`, moving it when its size takes more than one byte. */
  endTag(start: number): void {
    this.tagDepth--
    const size = this.pos - start
    if (size >= 0x80) {
      const extra = size < 0x4000 ? 1 : size < 0x200000 ? 2 : size < 0x10000000 ? 3 : 4
      this.room(extra)
      this.bytes.copyWithin(start + extra, start, start + size)
    }
    const after = this.pos
    this.pos = start - 1
    this.uvarint(size)
    this.pos = after
  }

  /** Overwrites four bytes that were written before. */
  patchInt32(at: number, value: number): void {
    this.view.setInt32(at, value)
  }
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object"
  return String(value)
}

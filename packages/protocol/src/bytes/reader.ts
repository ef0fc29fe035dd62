/**
 * A cursor over received bytes. Nothing is copied: `bytes` and `records` are views, valid as long as the buffer that
 * the caller handed in. Every length is checked against what is left before anything is allocated, and array elements
 * are counted over the whole message: an object takes many times the bytes that stand for it on the wire, so a frame of
 * the allowed size could otherwise fill the heap.
 *
 * Compact forms (KIP-482) carry length + 1 as an unsigned varint, 0 stands for null.
 */
import { WireFault } from "./fault.ts"
import { int64Of } from "./int64.ts"
import { readUuid, type Uuid, ZERO_UUID } from "./uuid.ts"

/** Longest string, in bytes of UTF-8; Kafka's limit, the old two-byte length's maximum. */
export const STRING_BYTES_MAX = 0x7fff

export const fitsString = (text: string): boolean => Buffer.byteLength(text) <= STRING_BYTES_MAX

/** Of the character that takes the place of bytes which are no UTF-8. */
const REPLACEMENT_BYTES = 3

/** Most array elements in one message, nested ones included: some 500,000 partitions with their replicas. */
export const ARRAY_ELEMENTS_MAX = 5_000_000

export class Reader {
  readonly bytes: Buffer
  readonly view: DataView
  readonly end: number
  pos: number
  private elements = 0

  constructor(bytes: Uint8Array, pos = 0) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.byteLength
    this.pos = pos
  }

  get remaining(): number {
    return this.end - this.pos
  }

  /** Moves past `size` bytes and answers where they began. */
  take(size: number): number {
    const start = this.pos
    const next = start + size
    if (next > this.end) throw new WireFault(`needs ${size} bytes, ${this.end - start} are left`, start)
    this.pos = next
    return start
  }

  fail(reason: string, offset = this.pos): never {
    throw new WireFault(reason, offset)
  }

  int8(): number {
    return this.view.getInt8(this.take(1))
  }
  int16(): number {
    return this.view.getInt16(this.take(2))
  }
  uint16(): number {
    return this.view.getUint16(this.take(2))
  }
  int32(): number {
    return this.view.getInt32(this.take(4))
  }
  uint32(): number {
    return this.view.getUint32(this.take(4))
  }
  float64(): number {
    return this.view.getFloat64(this.take(8))
  }
  bool(): boolean {
    return this.view.getInt8(this.take(1)) !== 0
  }

  /** The byte before a nullable struct: is there one? Up to `absence` says no. */
  presence(absence: number): boolean {
    return this.int8() > absence
  }

  int64(): number {
    const at = this.take(8)
    const high = this.view.getInt32(at)
    const low = this.view.getUint32(at + 4)
    const value = high * 4294967296 + low
    if (Number.isSafeInteger(value)) return value
    const sentinel = int64Of(high, low)
    if (Number.isNaN(sentinel)) this.fail("a 64-bit integer beyond 2^53", at)
    return sentinel
  }

  uuid(): Uuid {
    const at = this.take(16)
    const { view } = this
    if (view.getInt32(at) === 0 && view.getInt32(at + 4) === 0 && view.getInt32(at + 8) === 0) {
      if (view.getInt32(at + 12) === 0) return ZERO_UUID
    }
    return readUuid(this.bytes, at)
  }

  /** Unsigned 32-bit varint, at most five bytes. */
  uvarint(): number {
    const first = this.bytes[this.pos]
    if (first !== undefined && first < 0x80) {
      this.pos++
      return first
    }
    return this.longUvarint()
  }

  private longUvarint(): number {
    const start = this.pos
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.view.getUint8(this.take(1))
      if (shift === 28 && byte > 0x0f) this.fail("a varint of more than 32 bits", start)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    this.fail("a varint of more than five bytes", start)
  }

  string(): string {
    return this.present(this.nullableString())
  }
  nullableString(): string | null {
    const length = this.int16()
    return length < 0 ? null : this.text(length)
  }
  compactString(): string {
    return this.present(this.compactNullableString())
  }
  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    if (length > STRING_BYTES_MAX) this.fail(`a string of ${length} bytes, at most ${STRING_BYTES_MAX} are allowed`)
    return length < 0 ? null : this.text(length)
  }

  bytesOf(): Uint8Array {
    return this.present(this.nullableBytesOf())
  }
  nullableBytesOf(): Uint8Array | null {
    const length = this.int32()
    return length < 0 ? null : this.slice(length)
  }
  compactBytesOf(): Uint8Array {
    return this.present(this.compactNullableBytesOf())
  }
  compactNullableBytesOf(): Uint8Array | null {
    const length = this.uvarint() - 1
    return length < 0 ? null : this.slice(length)
  }

  /** Element count of an array whose elements take `elementBytesMin` each at least; -1 for null. */
  nullableLength(elementBytesMin: number): number {
    const count = this.int32()
    return count < 0 ? -1 : this.fits(count, elementBytesMin)
  }
  length(elementBytesMin: number): number {
    const count = this.nullableLength(elementBytesMin)
    if (count < 0) this.fail("null where a value is required")
    return count
  }
  compactNullableLength(elementBytesMin: number): number {
    return this.fits(this.uvarint() - 1, elementBytesMin)
  }
  compactLength(elementBytesMin: number): number {
    const count = this.compactNullableLength(elementBytesMin)
    if (count < 0) this.fail("null where a value is required")
    return count
  }

  /** Skips a section of tagged fields whose tags this version does not know (KIP-482). */
  skipTags(): void {
    for (let left = this.uvarint(); left > 0; left--) {
      this.uvarint()
      this.take(this.uvarint())
    }
  }

  /** Checks that a known tagged field took exactly the bytes that were announced for it. */
  endTag(start: number, size: number): void {
    if (this.pos - start !== size) this.fail(`a tagged field of ${size} bytes took ${this.pos - start}`, start)
  }

  private fits(count: number, elementBytesMin: number): number {
    if (count * elementBytesMin > this.end - this.pos) {
      this.fail(`an array of ${count} elements, ${this.end - this.pos} bytes are left`)
    }
    if (count > 0) this.elements += count
    if (this.elements > ARRAY_ELEMENTS_MAX) this.fail(`more than ${ARRAY_ELEMENTS_MAX} array elements in one message`)
    return count
  }

  private present<T>(value: T | null): T {
    if (value === null) this.fail("null where a value is required")
    return value
  }

  private text(length: number): string {
    if (length === 0) return ""
    const start = this.take(length)
    const text = this.bytes.toString("utf8", start, start + length)
    // Each byte that is no UTF-8 became three: nobody could write such a string into an answer.
    if (length > STRING_BYTES_MAX / REPLACEMENT_BYTES && Buffer.byteLength(text) > STRING_BYTES_MAX)
      this.fail(`a string that is no UTF-8, of more than ${STRING_BYTES_MAX} bytes as it was read`)
    return text
  }

  private slice(length: number): Uint8Array {
    const start = this.take(length)
    return this.bytes.subarray(start, start + length)
  }
}

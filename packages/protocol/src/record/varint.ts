/**
 * Zigzag varints as records use them: seven bits a byte, low bits first, the sign in the lowest bit.
 *
 * A `VarintCursor` keeps the position, so that decoding a record allocates nothing.
 */
import { CorruptRecordError } from "./corrupt.ts"

const TWO_28 = 0x1000_0000
const TWO_27 = 0x800_0000
const TWO_55 = 2 ** 55

/** Reads varints from `bytes[position, end)`; throws CorruptRecordError when they run over `end`. */
export class VarintCursor {
  bytes: Uint8Array
  position: number
  end: number
  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  /** A 32-bit zigzag varint: lengths, counts and offset deltas. */
  int32(): number {
    const bytes = this.bytes
    let at = this.position
    if (at >= this.end) this.#overrun()
    let byte = bytes[at++]!
    let raw = byte & 0x7f
    if (byte > 0x7f) {
      let shift = 7
      do {
        if (at >= this.end) this.#overrun()
        if (shift > 28) throw new CorruptRecordError(`a varint at byte ${this.position} is longer than 5 bytes`)
        byte = bytes[at++]!
        raw |= (byte & 0x7f) << shift
        shift += 7
      } while (byte > 0x7f)
    }
    this.position = at
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** A 64-bit zigzag varint: timestamp deltas. */
  int64(): number {
    const bytes = this.bytes
    let at = this.position
    let low = 0
    let middle = 0
    let high = 0
    let count = 0
    let byte: number
    do {
      if (at >= this.end) this.#overrun()
      if (count === 10) throw new CorruptRecordError(`a varint at byte ${this.position} is longer than 10 bytes`)
      byte = bytes[at++]!
      const seven = byte & 0x7f
      if (count < 4) low |= seven << (7 * count)
      else if (count < 8) middle |= seven << (7 * (count - 4))
      else high |= seven << (7 * (count - 8))
      count++
    } while (byte > 0x7f)
    this.position = at
    // Halve before joining: the doubled value of a safe integer may need 54 bits.
    const half = (low >>> 1) + middle * TWO_27 + (high & 0xff) * TWO_55
    if (half > Number.MAX_SAFE_INTEGER) throw new CorruptRecordError("a timestamp delta is beyond 2^53")
    return (low & 1) === 1 ? -half - 1 : half
  }

  #overrun(): never {
    throw new CorruptRecordError(`a varint at byte ${this.position} runs over the end of its record or batch`)
  }
}

/** Bytes that `putVarint` writes for a 32-bit value. */
export function sizeOfVarint(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0
  return raw < 0x80 ? 1 : raw < 0x4000 ? 2 : raw < 0x20_0000 ? 3 : raw < TWO_28 ? 4 : 5
}

/** Bytes that `putVarlong` writes for a safe integer. */
export function sizeOfVarlong(value: number): number {
  // Zigzag doubles: the first byte holds 6 bits of the magnitude, each further one 7.
  let magnitude = value < 0 ? -(value + 1) : value
  let size = 1
  magnitude = Math.floor(magnitude / 64)
  while (magnitude > 0) {
    size++
    magnitude = Math.floor(magnitude / 128)
  }
  return size
}

/** Writes a 32-bit zigzag varint and returns the position behind it. */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0
  while (raw > 0x7f) {
    bytes[at++] = (raw & 0x7f) | 0x80
    raw >>>= 7
  }
  bytes[at++] = raw
  return at
}

/** Writes a safe integer as a 64-bit zigzag varint and returns the position behind it. */
export function putVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x4000_0000 && value < 0x4000_0000) return putVarint(bytes, at, value)
  const magnitude = value < 0 ? -(value + 1) : value
  const sign = value < 0 ? 1 : 0
  bytes[at++] = ((magnitude % 64) * 2 + sign) | 0x80
  let rest = Math.floor(magnitude / 64)
  while (rest > 0x7f) {
    bytes[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  bytes[at++] = rest
  return at
}

/**
 * Big-endian integers at a position of a byte array: the fixed fields of record batches and of the log's index files.
 *
 * 64-bit values are numbers. Reading one beyond the safe integers throws instead of rounding. Byte shifts, not a
 * DataView: a view per batch costs more than the few fields read from it.
 */
import { CorruptRecordError } from "./corrupt.ts"

const TWO_32 = 0x1_0000_0000
const SAFE_HIGH = 0x20_0000

export function int16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!
}

export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at) >>> 0
}

export function int64At(bytes: Uint8Array, at: number): number {
  const high = int32At(bytes, at)
  if (high >= SAFE_HIGH || high < -SAFE_HIGH) {
    throw new CorruptRecordError(`the 64-bit integer at byte ${at} is beyond 2^53`)
  }
  return high * TWO_32 + uint32At(bytes, at + 4)
}

export function putInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8
  bytes[at + 1] = value
}

export function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24
  bytes[at + 1] = value >> 16
  bytes[at + 2] = value >> 8
  bytes[at + 3] = value
}

export function putInt64(bytes: Uint8Array, at: number, value: number): void {
  if (!Number.isSafeInteger(value)) throw new CorruptRecordError(`${value} does not fit a 64-bit field safely`)
  const high = Math.floor(value / TWO_32)
  putInt32(bytes, at, high)
  putInt32(bytes, at + 4, value - high * TWO_32)
}

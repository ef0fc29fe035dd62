/**
 * A row as stores keep it: a value, its timestamp and, where the store keeps them, the headers of its record (KIP-1271).
 *
 *     timestamp: double | value                                                      (big-endian)
 *     0xff | length of headers: uint32 | headers, packed | timestamp: double | value     of a row that has headers
 *
 * No time begins with 0xff: such doubles are negative and beyond all bounds. So each row tells what it is. A store may
 * begin to keep headers, or cease to, over the rows that it has: those are read as they were written. A row without headers
 * takes what it takes in a store that keeps none.
 * In the changelog both are the record's own.
 */
import { type Headers, NO_HEADERS } from "../dsl/record.ts"
import { packed } from "../serde/packed.ts"

export const TIMESTAMP_BYTES = 8
const HEADED = 0xff
const PREFIX_BYTES = 5

export function rowOf(value: Uint8Array, timestamp: number, headers: Headers = NO_HEADERS): Uint8Array {
  if (headers.length > 0) return Buffer.concat([rowHead(headers), rowOf(value, timestamp)])
  const out = Buffer.allocUnsafe(TIMESTAMP_BYTES + value.length)
  out.writeDoubleBE(timestamp, 0)
  out.set(value, TIMESTAMP_BYTES)
  return out
}

/** Roughly the bytes that they take. */
export const sizeOfHeaders = (headers: Headers): number =>
  headers.reduce((size, { key, value }) => size + key.length + (value?.length ?? 0), 0)

/** What comes before the timestamp of a row that has headers. */
export function rowHead(headers: Headers): Uint8Array {
  const bytes = packed.encode(headers.map(({ key, value }) => [key, value]))
  const out = Buffer.allocUnsafe(PREFIX_BYTES + bytes.length)
  out[0] = HEADED
  out.writeUInt32BE(bytes.length, 1)
  out.set(bytes, PREFIX_BYTES)
  return out
}

/** Where its timestamp begins; its value begins `TIMESTAMP_BYTES` behind. */
export const timestampAt = (row: Uint8Array): number => (row[0] === HEADED ? PREFIX_BYTES + view(row).getUint32(1) : 0)

export const readDouble = (bytes: Uint8Array, at: number): number => view(bytes).getFloat64(at)

/** Copies: they outlive the row's bytes. */
export function headersOf(row: Uint8Array): Headers {
  if (row[0] !== HEADED) return NO_HEADERS
  const pairs = packed.decode(row.subarray(PREFIX_BYTES, timestampAt(row))) as [string, Uint8Array | null][]
  return pairs.map(([key, value]) => ({ key, value }))
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

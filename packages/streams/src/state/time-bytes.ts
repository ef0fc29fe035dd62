/** Times at the head of stored keys: 8 bytes, big-endian, so that byte order is theirs. */
import { byteString, bytesOf } from "./byte-order.ts"

export const TIME_BYTES = 8

export function timeBytes(time: number): string {
  const out = Buffer.allocUnsafe(TIME_BYTES)
  out.writeUInt32BE(Math.floor(time / 2 ** 32), 0)
  out.writeUInt32BE(time >>> 0, 4)
  return byteString(out)
}

/** Of a stored key that begins with it. */
export function timeOf(stored: string): number {
  const bytes = Buffer.from(bytesOf(stored.slice(0, TIME_BYTES)))
  return bytes.readUInt32BE(0) * 2 ** 32 + bytes.readUInt32BE(4)
}

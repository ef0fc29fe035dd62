/**
 * A list of values with two numbers each: the sessions of a key, or the rows that a join keeps of one.
 *
 *     per entry   from: double | to: double | length: uint32 | value        (big-endian, one after another)
 */
import type { Serde } from "@millrace/schema"

export interface Timed<V> {
  readonly from: number
  readonly to: number
  readonly value: V
}

const HEADER_BYTES = 20

export function timedList<V>(value: Serde<V>): Serde<readonly Timed<V>[]> {
  return {
    name: `list(${value.name})`,
    encode(entries) {
      const values = entries.map((entry) => value.encode(entry.value))
      const out = Buffer.allocUnsafe(values.reduce((size, bytes) => size + HEADER_BYTES + bytes.length, 0))
      let at = 0
      for (const [index, { from, to }] of entries.entries()) {
        const bytes = values[index]!
        at = out.writeDoubleBE(from, at)
        at = out.writeDoubleBE(to, at)
        at = out.writeUInt32BE(bytes.length, at)
        out.set(bytes, at)
        at += bytes.length
      }
      return out
    },
    decode(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      const entries: Timed<V>[] = []
      for (let at = 0; at < bytes.length;) {
        const end = at + HEADER_BYTES + view.getUint32(at + 16)
        entries.push({
          from: view.getFloat64(at),
          to: view.getFloat64(at + 8),
          value: value.decode(bytes.subarray(at + HEADER_BYTES, end)),
        })
        at = end
      }
      return entries
    },
    ...(value.bind && { bind: async (binding) => timedList(await value.bind!(binding)) }),
  }
}

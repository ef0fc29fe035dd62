/** The key of a windowed row: the key, then the window's start and end, 8 bytes each, big-endian. */
import type { Serde } from "@millrace/schema"
import type { Windowed } from "../dsl/record.ts"

const BOUNDS_BYTES = 16

export function windowedKey<K>(serde: Serde<K>): Serde<Windowed<K>> {
  return {
    name: `windowed(${serde.name})`,
    encode({ key, start, end }) {
      const bytes = serde.encode(key)
      const out = Buffer.allocUnsafe(bytes.length + BOUNDS_BYTES)
      out.set(bytes, 0)
      out.writeBigInt64BE(BigInt(start), bytes.length)
      out.writeBigInt64BE(BigInt(end), bytes.length + 8)
      return out
    },
    decode(bytes) {
      const at = bytes.length - BOUNDS_BYTES
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, BOUNDS_BYTES)
      const key = serde.decode(bytes.subarray(0, at))
      return { key, start: Number(view.getBigInt64(0)), end: Number(view.getBigInt64(8)) }
    },
    ...(serde.bind && { bind: async (binding) => windowedKey(await serde.bind!(binding)) }),
  }
}

/**
 * A change of a table that waits to be sent on, with what it counts for in its buffer.
 *
 *     bytes: uint32, big-endian | both values as change.ts writes them
 */
import type { Serde } from "@millrace/schema"
import { changeSerde, type ChangedValue } from "./change.ts"

export interface BufferedChange<V> extends ChangedValue<V> {
  readonly bytes: number
}

const COUNT_BYTES = 4

export function bufferedChange<V>(serde: Serde<V>): Serde<BufferedChange<V>> {
  const change = changeSerde(serde)
  return {
    name: `buffered(${serde.name})`,
    encode(buffered) {
      const encoded = change.encode(buffered)
      const out = Buffer.allocUnsafe(COUNT_BYTES + encoded.length)
      out.writeUInt32BE(buffered.bytes, 0)
      out.set(encoded, COUNT_BYTES)
      return out
    },
    decode(bytes) {
      const count = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
      return { ...change.decode(bytes.subarray(COUNT_BYTES)), bytes: count }
    },
    ...(serde.bind && { bind: async (binding) => bufferedChange(await serde.bind!(binding)) }),
  }
}

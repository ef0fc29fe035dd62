/**
 * Both values of a table's change, so that it can travel through a topic; what is absent is undefined (KIP-904).
 *
 *     length of old: int32, -1 when absent | old | is there a new one: 1 byte | new        (big-endian)
 */
import type { Serde } from "@millrace/schema"

export interface ChangedValue<V> {
  readonly old: V | undefined
  readonly value: V | undefined
}

const LENGTH_BYTES = 4

export function changeSerde<V>(serde: Serde<V>): Serde<ChangedValue<V>> {
  return {
    name: `change(${serde.name})`,
    encode({ old, value }) {
      const before = old === undefined ? undefined : serde.encode(old)
      const after = value === undefined ? undefined : serde.encode(value)
      const flagAt = LENGTH_BYTES + (before?.length ?? 0)
      const out = Buffer.allocUnsafe(flagAt + 1 + (after?.length ?? 0))
      out.writeInt32BE(before?.length ?? -1, 0)
      if (before !== undefined) out.set(before, LENGTH_BYTES)
      out[flagAt] = after === undefined ? 0 : 1
      if (after !== undefined) out.set(after, flagAt + 1)
      return out
    },
    decode(bytes) {
      const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(0)
      const flagAt = LENGTH_BYTES + Math.max(0, length)
      return {
        old: length < 0 ? undefined : serde.decode(bytes.subarray(LENGTH_BYTES, flagAt)),
        value: bytes[flagAt] === 1 ? serde.decode(bytes.subarray(flagAt + 1)) : undefined,
      }
    },
    ...(serde.bind && { bind: async (binding) => changeSerde(await serde.bind!(binding)) }),
  }
}

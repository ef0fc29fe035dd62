/** A key with the side of a join that it belongs to, in one byte before it. */
import type { Serde } from "@millrace/schema"

export interface SidedKey<K> {
  readonly side: number
  readonly key: K
}

export function sidedKey<K>(serde: Serde<K>): Serde<SidedKey<K>> {
  return {
    name: `sided(${serde.name})`,
    encode({ side, key }) {
      const bytes = serde.encode(key)
      const out = Buffer.allocUnsafe(bytes.length + 1)
      out[0] = side
      out.set(bytes, 1)
      return out
    },
    decode: (bytes) => ({ side: bytes[0]!, key: serde.decode(bytes.subarray(1)) }),
    ...(serde.bind && { bind: async (binding) => sidedKey(await serde.bind!(binding)) }),
  }
}

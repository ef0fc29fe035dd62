/**
 * Records that wait in a store, of one key and timestamp, in the order in which they came: the value with all else that
 * callbacks see of a record.
 *
 *     per record   length: uint32 | topic, partition, offset, headers, packed | length: uint32 | value     (big-endian)
 */
import type { Serde } from "@millrace/schema"
import type { Headers } from "../dsl/record.ts"
import { packed } from "./packed.ts"

export interface WaitingRecord<V = unknown> {
  readonly value: V
  readonly headers: Headers
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const LENGTH_BYTES = 4

export function waitingRecords<V>(value: Serde<V>): Serde<readonly WaitingRecord<V>[]> {
  return {
    name: `waiting(${value.name})`,
    encode(records) {
      const parts = records.flatMap((record) => {
        const { topic, partition, offset, headers } = record
        const pairs = headers.map((header) => [header.key, header.value] as const)
        return [packed.encode([topic, partition, offset, pairs]), value.encode(record.value)]
      })
      const out = Buffer.allocUnsafe(parts.reduce((size, part) => size + LENGTH_BYTES + part.length, 0))
      let at = 0
      for (const part of parts) {
        at = out.writeUInt32BE(part.length, at)
        out.set(part, at)
        at += part.length
      }
      return out
    },
    decode(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let at = 0
      const part = () => {
        const from = at + LENGTH_BYTES
        at = from + view.getUint32(at)
        return bytes.subarray(from, at)
      }
      const records: WaitingRecord<V>[] = []
      while (at < bytes.length) {
        const [topic, partition, offset, pairs] = packed.decode(part())
        const headers = (pairs as [string, Uint8Array | null][]).map(([key, value]) => ({ key, value }))
        records.push({ topic, partition, offset, headers, value: value.decode(part()) })
      }
      return records
    },
    ...(value.bind && { bind: async (binding) => waitingRecords(await value.bind!(binding)) }),
  }
}

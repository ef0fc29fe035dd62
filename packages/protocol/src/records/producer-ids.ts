/**
 * Metadata record: a block of producer ids was given to a broker; the next block begins at nextProducerId (KIP-730).
 */
import { int32, int64 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const ProducerIdsRecord = record(15, "ProducerIdsRecord", "0", "0+", {
  brokerId: int32("0+"),
  brokerEpoch: int64("0+", { default: -1 }),
  nextProducerId: int64("0+"),
})
export type ProducerIdsRecord = Decoded<typeof ProducerIdsRecord>

/**
 * The `.snapshot` files beside a partition's log: the producers' state at an offset, so that recovery need not read the
 * whole log (KIP-98). In the file the version stands in two bytes before the message.
 */
import { int16, int32, int64, structs, uint32 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const ProducerSnapshot = message("ProducerSnapshot", "1", "none", {
  crc: uint32("1"),
  producerEntries: structs("1", {
    producerId: int64("1"),
    epoch: int16("1"),
    lastSequence: int32("1"),
    lastOffset: int64("1"),
    offsetDelta: int32("1"),
    timestamp: int64("1"),
    coordinatorEpoch: int32("1"),
    currentTxnFirstOffset: int64("1"),
  }),
})
export type ProducerSnapshot = Decoded<typeof ProducerSnapshot>

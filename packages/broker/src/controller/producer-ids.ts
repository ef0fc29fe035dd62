/**
 * Producer ids are given out in blocks. The block is taken by the record: an id lost with a crashed broker is never
 * handed out again.
 */
import type { MetadataImage } from "./image.ts"
import type { MetadataRecord } from "./records.ts"

/** Ids in one block, as Kafka takes them. */
export const PRODUCER_ID_BLOCK_SIZE = 1000

export interface ProducerIdBlock {
  readonly firstProducerId: number
  readonly size: number
}

export function allocateProducerIds(
  image: MetadataImage,
  brokerId: number,
): { readonly records: readonly MetadataRecord[]; readonly response: ProducerIdBlock } {
  const firstProducerId = image.nextProducerId
  const nextProducerId = firstProducerId + PRODUCER_ID_BLOCK_SIZE
  const brokerEpoch = image.broker(brokerId)?.epoch ?? -1
  return {
    records: [{ type: "ProducerIdsRecord", data: { brokerId, brokerEpoch, nextProducerId } }],
    response: { firstProducerId, size: PRODUCER_ID_BLOCK_SIZE },
  }
}

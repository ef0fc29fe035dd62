/**
 * AllocateProducerIds (key 67): a broker gets a block of producer ids from the controller (KIP-730).
 *
 * Errors: STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64 } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const AllocateProducerIds = api(
  "AllocateProducerIds",
  {
    brokerId: int32("0+"),
    brokerEpoch: int64("0+", { default: -1 }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    producerIdStart: int64("0+"),
    producerIdLen: int32("0+"),
  },
)

export type AllocateProducerIdsRequest = Decoded<typeof AllocateProducerIds.request>
export type AllocateProducerIdsResponse = Decoded<typeof AllocateProducerIds.response>

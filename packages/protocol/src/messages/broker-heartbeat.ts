/**
 * BrokerHeartbeat (key 63): a broker tells the controller that it lives, how far it has read, whether it wants to stop
 * (KIP-631).
 *
 * v1 offline log directories (KIP-858) · v2 cordoned ones (KIP-1066).
 *
 * Errors: STALE_BROKER_EPOCH, BROKER_ID_NOT_REGISTERED, NOT_CONTROLLER, CLUSTER_AUTHORIZATION_FAILED.
 */
import { bool, int16, int32, int64, uuids } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const BrokerHeartbeat = api(
  "BrokerHeartbeat",
  {
    brokerId: int32("0+"),
    brokerEpoch: int64("0+", { default: -1 }),
    currentMetadataOffset: int64("0+"),
    wantFence: bool("0+"),
    wantShutDown: bool("0+"),
    offlineLogDirs: uuids("1+", { tag: 0 }),
    cordonedLogDirs: uuids("2+", { nullable: "2+", default: null, tag: 1 }),
  },
  {
    throttleTimeMs: int32("0+"),
    errorCode: int16("0+"),
    isCaughtUp: bool("0+", { default: false }),
    isFenced: bool("0+", { default: true }),
    shouldShutDown: bool("0+"),
  },
)

export type BrokerHeartbeatRequest = Decoded<typeof BrokerHeartbeat.request>
export type BrokerHeartbeatResponse = Decoded<typeof BrokerHeartbeat.response>

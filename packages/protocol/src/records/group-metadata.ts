/**
 * Records of `__consumer_offsets` for a classic group as it was at the end of a rebalance: key type 2.
 *
 * Value versions: v1 rebalance timeout, v2 timestamp of the last change of state, v3 static members, v4 flexible
 * (KIP-915). A null value removes the group.
 */
import { bytes, int32, int64, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

const memberMetadata = {
  memberId: string("0+"),
  groupInstanceId: string("3+", { nullable: "3+", default: null, ignorable: true }),
  clientId: string("0+"),
  clientHost: string("0+"),
  rebalanceTimeout: int32("1+", { default: -1, ignorable: true }),
  sessionTimeout: int32("0+"),
  subscription: bytes("0+"),
  assignment: bytes("0+"),
}

export const GroupMetadataKey = record(2, "GroupMetadataKey", "0", "none", {
  group: string("0+"),
})
export type GroupMetadataKey = Decoded<typeof GroupMetadataKey>

export const GroupMetadataValue = record(2, "GroupMetadataValue", "0-4", "4+", {
  protocolType: string("0+"),
  generation: int32("0+"),
  protocol: string("0+", { nullable: "0+" }),
  leader: string("0+", { nullable: "0+" }),
  currentStateTimestamp: int64("2+", { default: -1, ignorable: true }),
  members: structs("0+", memberMetadata),
})
export type GroupMetadataValue = Decoded<typeof GroupMetadataValue>

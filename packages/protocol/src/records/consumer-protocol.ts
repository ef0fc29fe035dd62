/**
 * What classic consumers put into JoinGroup's metadata and SyncGroup's assignment, each after a two-byte version.
 *
 * v1 owned partitions (KIP-429) · v2 generation (KIP-792) · v3 rack (KIP-881). A reader takes the highest version it
 * knows that is not above the one written, and ignores bytes behind.
 */
import { bytes, int32, int32s, string, strings, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { message } from "../schema/message.ts"

export const ConsumerProtocolSubscription = message("ConsumerProtocolSubscription", "0-3", "none", {
  topics: strings("0+"),
  userData: bytes("0+", { nullable: "0+", default: null }),
  ownedPartitions: structs(
    "1+",
    { ignorable: true },
    {
      topic: string("1+"),
      partitions: int32s("1+"),
    },
  ),
  generationId: int32("2+", { default: -1, ignorable: true }),
  rackId: string("3+", { nullable: "3+", default: null, ignorable: true }),
})
export type ConsumerProtocolSubscription = Decoded<typeof ConsumerProtocolSubscription>

export const ConsumerProtocolAssignment = message("ConsumerProtocolAssignment", "0-3", "none", {
  assignedPartitions: structs("0+", {
    topic: string("0+"),
    partitions: int32s("0+"),
  }),
  userData: bytes("0+", { nullable: "0+", default: null }),
})
export type ConsumerProtocolAssignment = Decoded<typeof ConsumerProtocolAssignment>

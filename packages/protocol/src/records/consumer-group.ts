/**
 * Records of `__consumer_offsets` for a group of the new protocol: its epoch, its members, the partitions of the topics it
 * reads (KIP-848). Key types 3, 5 and 4; the last is no longer written since Kafka 4.1, where a hash in the group's
 * metadata replaces it (KIP-1101).
 */
import { bytes, int32, int64, string, strings, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const ConsumerGroupMetadataKey = record(3, "ConsumerGroupMetadataKey", "0", "none", {
  groupId: string("0+"),
})
export type ConsumerGroupMetadataKey = Decoded<typeof ConsumerGroupMetadataKey>

export const ConsumerGroupMetadataValue = record(3, "ConsumerGroupMetadataValue", "0", "0+", {
  epoch: int32("0+"),
  metadataHash: int64("0+", { default: 0, tag: 0 }),
})
export type ConsumerGroupMetadataValue = Decoded<typeof ConsumerGroupMetadataValue>

export const ConsumerGroupMemberMetadataKey = record(5, "ConsumerGroupMemberMetadataKey", "0", "none", {
  groupId: string("0+"),
  memberId: string("0+"),
})
export type ConsumerGroupMemberMetadataKey = Decoded<typeof ConsumerGroupMemberMetadataKey>

export const ConsumerGroupMemberMetadataValue = record(5, "ConsumerGroupMemberMetadataValue", "0", "0+", {
  instanceId: string("0+", { nullable: "0+" }),
  rackId: string("0+", { nullable: "0+" }),
  clientId: string("0+"),
  clientHost: string("0+"),
  subscribedTopicNames: strings("0+"),
  subscribedTopicRegex: string("0+", { nullable: "0+" }),
  rebalanceTimeoutMs: int32("0+", { default: -1 }),
  serverAssignor: string("0+", { nullable: "0+" }),
  classicMemberMetadata: struct(
    "0+",
    { nullable: "0+", tag: 0 },
    {
      sessionTimeoutMs: int32("0+"),
      supportedProtocols: structs("0+", {
        name: string("0+"),
        metadata: bytes("0+"),
      }),
    },
  ),
})
export type ConsumerGroupMemberMetadataValue = Decoded<typeof ConsumerGroupMemberMetadataValue>

export const ConsumerGroupPartitionMetadataKey = record(4, "ConsumerGroupPartitionMetadataKey", "0", "none", {
  groupId: string("0+"),
})
export type ConsumerGroupPartitionMetadataKey = Decoded<typeof ConsumerGroupPartitionMetadataKey>

export const ConsumerGroupPartitionMetadataValue = record(4, "ConsumerGroupPartitionMetadataValue", "0", "0+", {
  topics: structs("0+", {
    topicId: uuid("0+"),
    topicName: string("0+"),
    numPartitions: int32("0+"),
    partitionMetadata: structs("0+", {
      partition: int32("0+"),
      racks: strings("0+"),
    }),
  }),
})
export type ConsumerGroupPartitionMetadataValue = Decoded<typeof ConsumerGroupPartitionMetadataValue>

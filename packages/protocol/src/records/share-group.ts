/**
 * Records of `__consumer_offsets` for a share group: key types 10 to 15 (KIP-932).
 */
import { int32, int32s, int64, int8, string, strings, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

const topicPartitions = {
  topicId: uuid("0+"),
  partitions: int32s("0+"),
}

const topicPartitionsInfo = {
  topicId: uuid("0+"),
  topicName: string("0+"),
  partitions: int32s("0+"),
}

const topicInfo = {
  topicId: uuid("0+"),
  topicName: string("0+"),
}

export const ShareGroupMemberMetadataKey = record(10, "ShareGroupMemberMetadataKey", "0", "none", {
  groupId: string("0+"),
  memberId: string("0+"),
})
export type ShareGroupMemberMetadataKey = Decoded<typeof ShareGroupMemberMetadataKey>

export const ShareGroupMemberMetadataValue = record(10, "ShareGroupMemberMetadataValue", "0", "0+", {
  rackId: string("0+", { nullable: "0+" }),
  clientId: string("0+"),
  clientHost: string("0+"),
  subscribedTopicNames: strings("0+"),
})
export type ShareGroupMemberMetadataValue = Decoded<typeof ShareGroupMemberMetadataValue>

export const ShareGroupMetadataKey = record(11, "ShareGroupMetadataKey", "0", "none", {
  groupId: string("0+"),
})
export type ShareGroupMetadataKey = Decoded<typeof ShareGroupMetadataKey>

export const ShareGroupMetadataValue = record(11, "ShareGroupMetadataValue", "0", "0+", {
  epoch: int32("0+"),
  metadataHash: int64("0+"),
})
export type ShareGroupMetadataValue = Decoded<typeof ShareGroupMetadataValue>

export const ShareGroupTargetAssignmentMetadataKey = record(12, "ShareGroupTargetAssignmentMetadataKey", "0", "none", {
  groupId: string("0+"),
})
export type ShareGroupTargetAssignmentMetadataKey = Decoded<typeof ShareGroupTargetAssignmentMetadataKey>

export const ShareGroupTargetAssignmentMetadataValue = record(
  12,
  "ShareGroupTargetAssignmentMetadataValue",
  "0",
  "0+",
  {
    assignmentEpoch: int32("0+"),
    assignmentTimestamp: int64("0+", { default: 0, tag: 0, ignorable: true }),
  },
)
export type ShareGroupTargetAssignmentMetadataValue = Decoded<typeof ShareGroupTargetAssignmentMetadataValue>

export const ShareGroupTargetAssignmentMemberKey = record(13, "ShareGroupTargetAssignmentMemberKey", "0", "none", {
  groupId: string("0+"),
  memberId: string("0+"),
})
export type ShareGroupTargetAssignmentMemberKey = Decoded<typeof ShareGroupTargetAssignmentMemberKey>

export const ShareGroupTargetAssignmentMemberValue = record(13, "ShareGroupTargetAssignmentMemberValue", "0", "0+", {
  topicPartitions: structs("0+", {
    topicId: uuid("0+"),
    partitions: int32s("0+"),
  }),
})
export type ShareGroupTargetAssignmentMemberValue = Decoded<typeof ShareGroupTargetAssignmentMemberValue>

export const ShareGroupCurrentMemberAssignmentKey = record(14, "ShareGroupCurrentMemberAssignmentKey", "0", "none", {
  groupId: string("0+"),
  memberId: string("0+"),
})
export type ShareGroupCurrentMemberAssignmentKey = Decoded<typeof ShareGroupCurrentMemberAssignmentKey>

export const ShareGroupCurrentMemberAssignmentValue = record(14, "ShareGroupCurrentMemberAssignmentValue", "0", "0+", {
  memberEpoch: int32("0+"),
  previousMemberEpoch: int32("0+"),
  state: int8("0+"),
  assignedPartitions: structs("0+", topicPartitions),
})
export type ShareGroupCurrentMemberAssignmentValue = Decoded<typeof ShareGroupCurrentMemberAssignmentValue>

export const ShareGroupStatePartitionMetadataKey = record(15, "ShareGroupStatePartitionMetadataKey", "0", "none", {
  groupId: string("0+"),
})
export type ShareGroupStatePartitionMetadataKey = Decoded<typeof ShareGroupStatePartitionMetadataKey>

export const ShareGroupStatePartitionMetadataValue = record(15, "ShareGroupStatePartitionMetadataValue", "0", "0+", {
  initializingTopics: structs("0+", topicPartitionsInfo),
  initializedTopics: structs("0+", topicPartitionsInfo),
  deletingTopics: structs("0+", topicInfo),
})
export type ShareGroupStatePartitionMetadataValue = Decoded<typeof ShareGroupStatePartitionMetadataValue>

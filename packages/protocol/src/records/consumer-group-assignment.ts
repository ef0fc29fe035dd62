/**
 * Records of `__consumer_offsets` for a group of the new protocol: what the assignor wants (types 6 and 7), what each
 * member has (8), and which topics a subscribed regular expression stands for (16) (KIP-848).
 */
import { int32, int32s, int64, int8, string, strings, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

const topicPartitions = {
  topicId: uuid("0+"),
  partitions: int32s("0+"),
  assignmentEpochs: int32s("0+", { nullable: "0+", tag: 0 }),
}

export const ConsumerGroupTargetAssignmentMetadataKey = record(
  6,
  "ConsumerGroupTargetAssignmentMetadataKey",
  "0",
  "none",
  {
    groupId: string("0+"),
  },
)
export type ConsumerGroupTargetAssignmentMetadataKey = Decoded<typeof ConsumerGroupTargetAssignmentMetadataKey>

export const ConsumerGroupTargetAssignmentMetadataValue = record(
  6,
  "ConsumerGroupTargetAssignmentMetadataValue",
  "0",
  "0+",
  {
    assignmentEpoch: int32("0+"),
    assignmentTimestamp: int64("0+", { default: 0, tag: 0, ignorable: true }),
  },
)
export type ConsumerGroupTargetAssignmentMetadataValue = Decoded<typeof ConsumerGroupTargetAssignmentMetadataValue>

export const ConsumerGroupTargetAssignmentMemberKey = record(7, "ConsumerGroupTargetAssignmentMemberKey", "0", "none", {
  groupId: string("0+"),
  memberId: string("0+"),
})
export type ConsumerGroupTargetAssignmentMemberKey = Decoded<typeof ConsumerGroupTargetAssignmentMemberKey>

export const ConsumerGroupTargetAssignmentMemberValue = record(
  7,
  "ConsumerGroupTargetAssignmentMemberValue",
  "0",
  "0+",
  {
    topicPartitions: structs("0+", {
      topicId: uuid("0+"),
      partitions: int32s("0+"),
    }),
  },
)
export type ConsumerGroupTargetAssignmentMemberValue = Decoded<typeof ConsumerGroupTargetAssignmentMemberValue>

export const ConsumerGroupCurrentMemberAssignmentKey = record(
  8,
  "ConsumerGroupCurrentMemberAssignmentKey",
  "0",
  "none",
  {
    groupId: string("0+"),
    memberId: string("0+"),
  },
)
export type ConsumerGroupCurrentMemberAssignmentKey = Decoded<typeof ConsumerGroupCurrentMemberAssignmentKey>

export const ConsumerGroupCurrentMemberAssignmentValue = record(
  8,
  "ConsumerGroupCurrentMemberAssignmentValue",
  "0",
  "0+",
  {
    memberEpoch: int32("0+"),
    previousMemberEpoch: int32("0+"),
    state: int8("0+"),
    assignedPartitions: structs("0+", topicPartitions),
    partitionsPendingRevocation: structs("0+", topicPartitions),
  },
)
export type ConsumerGroupCurrentMemberAssignmentValue = Decoded<typeof ConsumerGroupCurrentMemberAssignmentValue>

export const ConsumerGroupRegularExpressionKey = record(16, "ConsumerGroupRegularExpressionKey", "0", "none", {
  groupId: string("0+"),
  regularExpression: string("0+"),
})
export type ConsumerGroupRegularExpressionKey = Decoded<typeof ConsumerGroupRegularExpressionKey>

export const ConsumerGroupRegularExpressionValue = record(16, "ConsumerGroupRegularExpressionValue", "0", "0+", {
  topics: strings("0+"),
  version: int64("0+"),
  timestamp: int64("0+"),
})
export type ConsumerGroupRegularExpressionValue = Decoded<typeof ConsumerGroupRegularExpressionValue>

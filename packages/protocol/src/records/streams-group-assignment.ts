/**
 * Records of `__consumer_offsets` for a group of Kafka Streams instances: wanted and current tasks (KIP-1071).
 */
import { int32, int32s, int64, int8, string, structs } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

const taskIds = {
  subtopologyId: string("0+"),
  partitions: int32s("0+"),
}

const taskIdsWithEpochs = {
  subtopologyId: string("0+"),
  partitions: int32s("0+"),
  assignmentEpochs: int32s("0+", { nullable: "0+", tag: 0 }),
}

export const StreamsGroupTargetAssignmentMetadataKey = record(
  20,
  "StreamsGroupTargetAssignmentMetadataKey",
  "0",
  "none",
  {
    groupId: string("0+"),
  },
)
export type StreamsGroupTargetAssignmentMetadataKey = Decoded<typeof StreamsGroupTargetAssignmentMetadataKey>

export const StreamsGroupTargetAssignmentMetadataValue = record(
  20,
  "StreamsGroupTargetAssignmentMetadataValue",
  "0",
  "0+",
  {
    assignmentEpoch: int32("0+"),
    assignmentTimestamp: int64("0+", { default: 0, tag: 0, ignorable: true }),
  },
)
export type StreamsGroupTargetAssignmentMetadataValue = Decoded<typeof StreamsGroupTargetAssignmentMetadataValue>

export const StreamsGroupTargetAssignmentMemberKey = record(21, "StreamsGroupTargetAssignmentMemberKey", "0", "none", {
  groupId: string("0+"),
  memberId: string("0+"),
})
export type StreamsGroupTargetAssignmentMemberKey = Decoded<typeof StreamsGroupTargetAssignmentMemberKey>

export const StreamsGroupTargetAssignmentMemberValue = record(
  21,
  "StreamsGroupTargetAssignmentMemberValue",
  "0",
  "0+",
  {
    activeTasks: structs("0+", taskIds),
    standbyTasks: structs("0+", taskIds),
    warmupTasks: structs("0+", taskIds),
  },
)
export type StreamsGroupTargetAssignmentMemberValue = Decoded<typeof StreamsGroupTargetAssignmentMemberValue>

export const StreamsGroupCurrentMemberAssignmentKey = record(
  22,
  "StreamsGroupCurrentMemberAssignmentKey",
  "0",
  "none",
  {
    groupId: string("0+"),
    memberId: string("0+"),
  },
)
export type StreamsGroupCurrentMemberAssignmentKey = Decoded<typeof StreamsGroupCurrentMemberAssignmentKey>

export const StreamsGroupCurrentMemberAssignmentValue = record(
  22,
  "StreamsGroupCurrentMemberAssignmentValue",
  "0",
  "0+",
  {
    memberEpoch: int32("0+"),
    previousMemberEpoch: int32("0+"),
    state: int8("0+"),
    activeTasks: structs("0+", taskIdsWithEpochs),
    standbyTasks: structs("0+", taskIdsWithEpochs),
    warmupTasks: structs("0+", taskIdsWithEpochs),
    activeTasksPendingRevocation: structs("0+", taskIdsWithEpochs),
    standbyTasksPendingRevocation: structs("0+", taskIdsWithEpochs),
    warmupTasksPendingRevocation: structs("0+", taskIdsWithEpochs),
  },
)
export type StreamsGroupCurrentMemberAssignmentValue = Decoded<typeof StreamsGroupCurrentMemberAssignmentValue>

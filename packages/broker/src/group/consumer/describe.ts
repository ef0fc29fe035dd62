/** ConsumerGroupDescribe: what a consumer group is, with what its members have and are to have. */
import { ErrorCode, errorMessage } from "@millrace/protocol"
import type { ConsumerGroupDescribeResponse } from "@millrace/protocol/messages/consumer-group-describe"
import type { GroupShardState } from "../group-state.ts"
import type { GroupOutcome } from "../requests.ts"
import { preferredAssignor } from "./assignors.ts"
import type { ConsumerGroup } from "./group.ts"
import { noPartitions, type Partitions } from "./partitions.ts"
import type { ConsumerDescribe } from "./requests.ts"
import type { GroupTopics } from "./topics.ts"

export type DescribedConsumerGroup = ConsumerGroupDescribeResponse["groups"][number]

/** Says that the client did not ask for its authorized operations. */
const operationsOmitted = -2147483648
const memberTypes = { classic: 0, consumer: 1 } as const

export function describeConsumerGroups(shard: GroupShardState, describe: ConsumerDescribe, out: GroupOutcome): void {
  out.reply(
    describe.token,
    describe.groupIds.map((groupId) => {
      if (groupId === "") return describedConsumerError(groupId, ErrorCode.INVALID_GROUP_ID)
      const group = shard.consumerGroups.get(groupId)
      if (group !== undefined) return describeGroup(group, shard.topics)
      const what =
        shard.groups.has(groupId) || shard.streamsGroups.has(groupId)
          ? `group ${groupId} is not a consumer group`
          : `there is no group ${groupId}`
      return describedConsumerError(groupId, ErrorCode.GROUP_ID_NOT_FOUND, what)
    }),
  )
}

export function describedConsumerError(
  groupId: string,
  errorCode: ErrorCode,
  message: string | null = errorMessage(errorCode),
): DescribedConsumerGroup {
  return {
    errorCode,
    errorMessage: message,
    groupId,
    groupState: "",
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: "",
    members: [],
    authorizedOperations: operationsOmitted,
  }
}

function describeGroup(group: ConsumerGroup, topics: GroupTopics): DescribedConsumerGroup {
  const members = [...group.members.values()]
  return {
    ...describedConsumerError(group.groupId, ErrorCode.NONE, null),
    groupState: group.state,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: preferredAssignor(members.map(({ serverAssignor }) => serverAssignor)),
    members: members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: member.memberEpoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.topicNames],
      subscribedTopicRegex: member.topicRegex,
      assignment: named(member.assigned, topics),
      targetAssignment: named(group.targets.get(member.memberId) ?? noPartitions, topics),
      memberType: member.classic === null ? memberTypes.consumer : memberTypes.classic,
    })),
  }
}

/** Topics that are gone have no name to be told by. */
function named(partitions: Partitions, topics: GroupTopics) {
  return {
    topicPartitions: [...partitions].flatMap(([topicId, indexes]) => {
      const topic = topics.byId(topicId)
      return topic === undefined ? [] : [{ topicId, topicName: topic.name, partitions: [...indexes] }]
    }),
  }
}

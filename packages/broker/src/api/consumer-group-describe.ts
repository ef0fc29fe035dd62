/**
 * ConsumerGroupDescribe (key 69), v0-1: consumer groups with what their members have and are to have (KIP-848). v1 whether
 * a member speaks the classic protocol (KIP-1099). Groups that are unknown, or classic, are GROUP_ID_NOT_FOUND. Errors: see
 * group/consumer; GROUP_AUTHORIZATION_FAILED, and TOPIC_AUTHORIZATION_FAILED for a group with topics that may not be seen.
 * Without the feature group.version all is UNSUPPORTED_VERSION.
 */
import { ErrorCode } from "@millrace/protocol"
import { ConsumerGroupDescribe } from "@millrace/protocol/messages/consumer-group-describe"
import { featureLevel, GROUP_VERSION } from "../controller/features.ts"
import { type DescribedConsumerGroup, describedConsumerError } from "../group/consumer/describe.ts"
import { authorizedOperations } from "../security/authorizer.ts"
import { groupContext } from "./group-context.ts"
import { type Answer, handler, replyLater } from "./handler.ts"

export const consumerGroupDescribe = handler(ConsumerGroupDescribe, {
  permissions: [
    { operation: "DESCRIBE", resource: "GROUP" },
    { operation: "DESCRIBE", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    if (featureLevel(services.image, GROUP_VERSION) < 1) {
      const unsupported = ErrorCode.UNSUPPORTED_VERSION
      return reply({ groups: request.groupIds.map((groupId) => describedConsumerError(groupId, unsupported)) })
    }
    const mayDescribe = (groupId: string) => context.may("DESCRIBE", "GROUP", groupId)
    const allowed = request.groupIds.filter(mayDescribe)
    const refused = request.groupIds
      .filter((groupId) => !mayDescribe(groupId))
      .map((groupId) => describedConsumerError(groupId, ErrorCode.GROUP_AUTHORIZATION_FAILED))
    const seesTopics = ({ members }: DescribedConsumerGroup) =>
      members.every(({ assignment, targetAssignment, subscribedTopicNames }) =>
        [
          ...subscribedTopicNames,
          ...[...assignment.topicPartitions, ...targetAssignment.topicPartitions].map(({ topicName }) => topicName),
        ].every((name) => context.may("DESCRIBE", "TOPIC", name)),
      )
    const described = services.groups.consumerGroupDescribe(groupContext(context), { ...request, groupIds: allowed })
    const answer = described.then((response): Answer<typeof ConsumerGroupDescribe> => {
      const groups = response.groups.map((group) => {
        if (!seesTopics(group)) return describedConsumerError(group.groupId, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
        if (!request.includeAuthorizedOperations || group.errorCode !== ErrorCode.NONE) return group
        const operations = authorizedOperations("GROUP", ({ operation, resource }) =>
          context.maySilently(operation, resource, group.groupId),
        )
        return { ...group, authorizedOperations: operations }
      })
      return { ...response, groups: [...groups, ...refused] }
    })
    replyLater(services, answer, reply)
  },
})

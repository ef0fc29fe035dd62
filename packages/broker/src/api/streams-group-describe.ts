/**
 * StreamsGroupDescribe (key 89), v0-1: groups of Kafka Streams instances with their topologies, members and tasks
 * (KIP-1071). v1 a description of the topology (KIP-1331), which this broker does not keep, and the assignor's name. Other
 * groups are GROUP_ID_NOT_FOUND. Errors: see group/streams; GROUP_AUTHORIZATION_FAILED, and TOPIC_AUTHORIZATION_FAILED for a
 * group with topics that may not be seen. Without the feature streams.version all is UNSUPPORTED_VERSION.
 */
import { ErrorCode } from "@millrace/protocol"
import { StreamsGroupDescribe } from "@millrace/protocol/messages/streams-group-describe"
import { featureLevel, STREAMS_VERSION } from "../controller/features.ts"
import { type DescribedStreamsGroup, describedStreamsError } from "../group/streams/describe.ts"
import { authorizedOperations } from "../security/authorizer.ts"
import { groupContext } from "./group-context.ts"
import { type Answer, handler, replyLater } from "./handler.ts"

export const streamsGroupDescribe = handler(StreamsGroupDescribe, {
  permissions: [
    { operation: "DESCRIBE", resource: "GROUP" },
    { operation: "DESCRIBE", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    if (featureLevel(services.image, STREAMS_VERSION) < 1) {
      const unsupported = ErrorCode.UNSUPPORTED_VERSION
      return reply({ groups: request.groupIds.map((groupId) => describedStreamsError(groupId, unsupported)) })
    }
    const mayDescribe = (groupId: string) => context.may("DESCRIBE", "GROUP", groupId)
    const allowed = request.groupIds.filter(mayDescribe)
    const refused = request.groupIds
      .filter((groupId) => !mayDescribe(groupId))
      .map((groupId) => describedStreamsError(groupId, ErrorCode.GROUP_AUTHORIZATION_FAILED))
    const seesTopics = ({ topology }: DescribedStreamsGroup) =>
      (topology?.subtopologies ?? []).every((one) =>
        [
          ...one.sourceTopics,
          ...one.repartitionSinkTopics,
          ...[...one.repartitionSourceTopics, ...one.stateChangelogTopics].map(({ name }) => name),
        ].every((name) => context.may("DESCRIBE", "TOPIC", name)),
      )
    const described = services.groups.streamsGroupDescribe(groupContext(context), { ...request, groupIds: allowed })
    const answer = described.then((response): Answer<typeof StreamsGroupDescribe> => {
      const groups = response.groups.map((group) => {
        if (!seesTopics(group)) return describedStreamsError(group.groupId, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
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

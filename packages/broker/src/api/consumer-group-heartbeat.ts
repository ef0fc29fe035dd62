/**
 * ConsumerGroupHeartbeat (key 68), v0-1: a member of a consumer group joins, reports and is assigned (KIP-848). v1 regular
 * expressions; members choose their id (KIP-1082). Errors: see group/consumer; GROUP_AUTHORIZATION_FAILED,
 * TOPIC_AUTHORIZATION_FAILED when a topic it subscribes to by name may not be described; what an expression matches beside
 * what the member may see, it does not match. Without the feature group.version all is UNSUPPORTED_VERSION.
 */
import { ErrorCode } from "@millrace/protocol"
import { ConsumerGroupHeartbeat } from "@millrace/protocol/messages/consumer-group-heartbeat"
import { featureLevel, GROUP_VERSION } from "../controller/features.ts"
import { beatRefusal } from "../group/consumer/refusal.ts"
import { groupContext } from "./group-context.ts"
import { handler, replyLater } from "./handler.ts"

export const consumerGroupHeartbeat = handler(ConsumerGroupHeartbeat, {
  permissions: [
    { operation: "READ", resource: "GROUP" },
    { operation: "DESCRIBE", resource: "TOPIC" },
  ],
  handle(request, context, services, reply) {
    if (featureLevel(services.image, GROUP_VERSION) < 1) return reply(beatRefusal(ErrorCode.UNSUPPORTED_VERSION))
    if (!context.may("READ", "GROUP", request.groupId)) return reply(beatRefusal(ErrorCode.GROUP_AUTHORIZATION_FAILED))
    if (request.subscribedTopicNames?.some((name) => !context.may("DESCRIBE", "TOPIC", name)))
      return reply(beatRefusal(ErrorCode.TOPIC_AUTHORIZATION_FAILED))
    const maySee = (topic: string) => context.maySilently("DESCRIBE", "TOPIC", topic)
    replyLater(services, services.groups.consumerGroupHeartbeat(groupContext(context), request, maySee), reply)
  },
})

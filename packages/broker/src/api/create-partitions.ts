/**
 * CreatePartitions (key 37), v0-3: adds partitions to topics. Every topic asked for is answered. Errors per topic:
 * UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST (named twice),
 * TOPIC_AUTHORIZATION_FAILED, from v3 on THROTTLING_QUOTA_EXCEEDED (KIP-599).
 */
import { ErrorCode } from "@millrace/protocol"
import { CreatePartitions } from "@millrace/protocol/messages/create-partitions"
import { createPartitions as decide } from "../controller/topics.ts"
import { handler } from "./handler.ts"

const VERSION_STRICT_QUOTA = 3

export const createPartitions = handler(CreatePartitions, {
  permissions: [{ operation: "ALTER", resource: "TOPIC" }],
  handle(request, context, { image, controller, config, quotas }, reply) {
    const count = new Map<string, number>()
    for (const { name } of request.topics) count.set(name, (count.get(name) ?? 0) + 1)
    const refused = [...count].flatMap(([name, times]) => {
      const errorCode = !context.may("ALTER", "TOPIC", name)
        ? ErrorCode.TOPIC_AUTHORIZATION_FAILED
        : times > 1
          ? ErrorCode.INVALID_REQUEST
          : undefined
      return errorCode === undefined ? [] : [{ name, errorCode, errorMessage: times > 1 ? "Duplicate topic." : null }]
    })
    const refusedNames = new Set(refused.map(({ name }) => name))
    const topics = request.topics.filter(({ name }) => !refusedNames.has(name))
    const quota = quotas.mutations(context, context.apiVersion >= VERSION_STRICT_QUOTA)
    const decision = decide(image, { ...request, topics }, config["metadata.max.partitions"], quota.charge)
    const results = controller.commit(decision)
    context.throttle(quota.throttleMs)
    reply({ results: [...results, ...refused] })
  },
})

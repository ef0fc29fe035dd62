/**
 * CreatePartitions (key 37), v0-3: adds partitions to topics. Every topic asked for is answered. Errors per topic:
 * UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, INVALID_REQUEST (named twice),
 * TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { CreatePartitions } from "@millrace/protocol/messages/create-partitions"
import { createPartitions as decide } from "../controller/topics.ts"
import { handler } from "./handler.ts"

export const createPartitions = handler(CreatePartitions, {
  permissions: [{ operation: "ALTER", resource: "TOPIC" }],
  handle(request, context, { image, controller, config }, reply) {
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
    const topics = request.topics.filter(({ name }) => !refused.some((result) => result.name === name))
    const results = controller.commit(decide(image, { ...request, topics }, config["metadata.max.partitions"]))
    reply({ results: [...results, ...refused] })
  },
})

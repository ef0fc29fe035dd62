/**
 * DescribeLogDirs (key 35), v1-5: what the data directory holds, in bytes per partition. v3 a top-level error · v4 space
 * of the device (KIP-827), left out where that is not known · v5 cordoned (KIP-1066). Errors: CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { DescribeLogDirs } from "@millrace/protocol/messages/describe-log-dirs"
import { STORAGE_FAULT } from "../partition/partition.ts"
import { handler } from "./handler.ts"

const VERSION_SPACE = 4

export const describeLogDirs = handler(DescribeLogDirs, {
  permissions: [{ operation: "DESCRIBE", resource: "CLUSTER" }],
  handle(request, context, { replicas }, reply) {
    if (!context.may("DESCRIBE", "CLUSTER")) {
      reply({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, results: [] })
      return
    }
    const topics = new Map<
      string,
      { partitionIndex: number; partitionSize: number; offsetLag: number; isFutureKey: boolean }[]
    >()
    const asked = request.topics && new Map(request.topics.map((one) => [one.topic, new Set(one.partitions)]))
    for (const partition of replicas.partitions()) {
      const { topic, index } = partition
      if (asked !== null && !asked.get(topic)?.has(index)) continue
      const partitionSize = partition.isOpen ? partition.attempt((log) => log.size) : replicas.sizeOnDisk(partition)
      if (partitionSize === STORAGE_FAULT) continue
      const row = { partitionIndex: index, partitionSize, offsetLag: 0, isFutureKey: false }
      const rows = topics.get(topic)
      if (rows) rows.push(row)
      else topics.set(topic, [row])
    }
    reply({
      errorCode: ErrorCode.NONE,
      results: [
        {
          errorCode: ErrorCode.NONE,
          logDir: replicas.dataDir,
          ...(context.apiVersion >= VERSION_SPACE && replicas.space()),
          topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
        },
      ],
    })
  },
})

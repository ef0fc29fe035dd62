/**
 * DescribeQuorum (key 55), v0-2: who votes in the metadata quorum and how far each one is (KIP-595). Of one node, that is
 * this one. One partition is asked about, and no other. Errors: UNKNOWN_TOPIC_OR_PARTITION (anything but the metadata log), CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import { DescribeQuorum } from "@millrace/protocol/messages/describe-quorum"
import { CLUSTER_METADATA_TOPIC } from "../controller/topic-names.ts"
import { handler } from "./handler.ts"

const VERSION_DIRECTORIES = 2

export const describeQuorum = handler(DescribeQuorum, {
  permissions: [{ operation: "DESCRIBE", resource: "CLUSTER" }],
  handle({ topics }, context, { nodeId, controller, clock, image }, reply) {
    if (!context.may("DESCRIBE", "CLUSTER")) {
      reply({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, topics: [] })
      return
    }
    const now = clock.now()
    const logEndOffset = controller.nextOffset
    const withDirectory = context.apiVersion >= VERSION_DIRECTORIES
    const directory = withDirectory
      ? { replicaDirectoryId: image.broker(nodeId)?.registration.logDirs[0] ?? ZERO_UUID }
      : {}
    const self = { replicaId: nodeId, logEndOffset, lastFetchTimestamp: now, lastCaughtUpTimestamp: now, ...directory }
    const quorum = {
      errorCode: ErrorCode.NONE,
      leaderId: nodeId,
      leaderEpoch: controller.epoch,
      highWatermark: logEndOffset,
      currentVoters: [self],
      observers: [],
    }
    const unknown = {
      errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ...{ leaderId: 0, leaderEpoch: 0, highWatermark: 0 },
      currentVoters: [],
      observers: [],
    }
    const [first] = topics
    const isQuorum =
      topics.length === 1 &&
      first!.topicName === CLUSTER_METADATA_TOPIC &&
      first!.partitions.length === 1 &&
      first!.partitions[0]!.partitionIndex === 0
    reply({
      errorCode: ErrorCode.NONE,
      topics: topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) => ({
          partitionIndex,
          ...(isQuorum ? quorum : unknown),
        })),
      })),
      ...(withDirectory && isQuorum ? { nodes: [{ nodeId, listeners: [] }] } : {}),
    })
  },
})

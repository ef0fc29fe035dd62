/**
 * ListOffsets (key 2), v1-11: the offset for a timestamp or for one of the special ones.
 *
 * -1 latest · -2 earliest · -3 largest timestamp (v7, KIP-734) · -4 earliest local (v8, KIP-405) · -5 latest tiered (v9,
 * KIP-1005) · -6 earliest pending upload (v11, KIP-1023). v2 isolation level · v4 leader epochs, the one *of the offset
 * answered*. Nothing at or after the time asked: offset, timestamp and epoch -1, no error. Without tiers -4 is -2, and
 * -5 and -6 find nothing.
 *
 * Errors: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
 * UNSUPPORTED_VERSION (special timestamp of a later version), INVALID_REQUEST (a partition twice), KAFKA_STORAGE_ERROR,
 * TOPIC_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { ListOffsets, type ListOffsetsRequest } from "@millrace/protocol/messages/list-offsets"
import type { Log } from "@millrace/storage"
import type { RequestContext } from "../network/context.ts"
import { type Partition, STORAGE_FAULT } from "../partition/partition.ts"
import { handler, type Services } from "./handler.ts"
import { partitionsOnce } from "./partitions-once.ts"

const READ_COMMITTED = 1
const VERSION_LEADER_EPOCH = 4
const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6

/** The version in which each special timestamp came. */
const sinceVersion = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
])

type PartitionRequest = ListOffsetsRequest["topics"][number]["partitions"][number]
interface Found {
  errorCode: number
  timestamp: number
  offset: number
  leaderEpoch: number
}

export const listOffsets = handler(ListOffsets, {
  permissions: [{ operation: "DESCRIBE", resource: "TOPIC" }],
  handle(request, context, services, reply) {
    const readCommitted = request.isolationLevel === READ_COMMITTED
    const duplicates = duplicated(request)
    reply({
      topics: partitionsOnce(request.topics).map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((asked) => ({
          partitionIndex: asked.partitionIndex,
          ...(duplicates.has(`${name}-${asked.partitionIndex}`)
            ? none(ErrorCode.INVALID_REQUEST)
            : inVersion(context, find(name, asked, readCommitted, context, services))),
        })),
      })),
    })
  },
})

/** Before v4 an answer has no room for the epoch. */
function inVersion({ apiVersion }: RequestContext, { leaderEpoch, ...found }: Found) {
  return apiVersion < VERSION_LEADER_EPOCH ? found : { ...found, leaderEpoch }
}

function duplicated({ topics }: ListOffsetsRequest): ReadonlySet<string> {
  const seen = new Set<string>()
  const twice = new Set<string>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}-${partitionIndex}`
      if (seen.has(key)) twice.add(key)
      seen.add(key)
    }
  }
  return twice
}

const none = (errorCode: number): Found => ({ errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 })

function find(
  topic: string,
  { partitionIndex, currentLeaderEpoch, timestamp }: PartitionRequest,
  readCommitted: boolean,
  context: RequestContext,
  { replicas }: Services,
): Found {
  if (!context.may("DESCRIBE", "TOPIC", topic)) return none(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  if (timestamp < 0 && context.apiVersion < (sinceVersion.get(timestamp) ?? Infinity)) {
    return none(ErrorCode.UNSUPPORTED_VERSION)
  }
  const partition = replicas.partition(topic, partitionIndex)
  if (!partition) return none(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  const error = partition.check(currentLeaderEpoch)
  if (error !== ErrorCode.NONE) return none(error)
  if (!partition.hasLog) return lookUpNothing(timestamp, partition.leaderEpoch)
  const found = partition.attempt((log) => lookUp(partition, log, timestamp, readCommitted))
  return found === STORAGE_FAULT ? none(ErrorCode.KAFKA_STORAGE_ERROR) : found
}

/** A partition that never got a record has no files; asking about it must not make them. */
function lookUpNothing(timestamp: number, leaderEpoch: number): Found {
  const known = timestamp === LATEST || timestamp === EARLIEST || timestamp === EARLIEST_LOCAL
  return known ? { errorCode: ErrorCode.NONE, timestamp: -1, offset: 0, leaderEpoch } : none(ErrorCode.NONE)
}

function lookUp(partition: Partition, log: Log, timestamp: number, readCommitted: boolean): Found {
  const end = readCommitted ? log.lastStableOffset(partition.highWatermark) : partition.highWatermark
  const at = (offset: number, found = -1): Found => ({
    errorCode: ErrorCode.NONE,
    timestamp: found,
    offset,
    leaderEpoch: offset === log.logEndOffset ? partition.leaderEpoch : log.epochOf(offset),
  })
  switch (timestamp) {
    case LATEST:
      return { ...at(end), leaderEpoch: partition.leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return at(log.logStartOffset)
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return none(ErrorCode.NONE)
    default: {
      const found =
        timestamp === MAX_TIMESTAMP ? log.offsetForMaxTimestamp(end) : log.offsetForTimestamp(timestamp, end)
      // What readers may not see yet is as good as not there.
      return found && found.offset < end ? at(found.offset, found.timestamp) : none(ErrorCode.NONE)
    }
  }
}

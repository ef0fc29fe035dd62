/**
 * Fetch (key 1): reads record batches of many partitions, waiting until minBytes are there or maxWaitMs is over.
 *
 * v4 isolation level and aborted transactions (KIP-98) · v5 logStartOffset · v7 incremental fetch sessions (KIP-227) ·
 * v9 currentLeaderEpoch (KIP-320) · v10 zstd (KIP-110) · v11 rackId and preferred replica (KIP-392) · v12 flexible,
 * lastFetchedEpoch and diverging epoch (KIP-595) · v13 topic ids (KIP-516) · v15 replica state (KIP-903) · v16 node
 * endpoints of new leaders (KIP-951) · v17 directory id (KIP-853) · v18 the follower's high watermark (KIP-1166).
 * A decoded reply's `records` are views of the response buffer.
 *
 * Errors: OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, INCONSISTENT_TOPIC_ID,
 * NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, OFFSET_NOT_AVAILABLE, REPLICA_NOT_AVAILABLE,
 * KAFKA_STORAGE_ERROR, OFFSET_MOVED_TO_TIERED_STORAGE, UNSUPPORTED_COMPRESSION_TYPE, CORRUPT_MESSAGE,
 * TOPIC_AUTHORIZATION_FAILED; for the session FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH,
 * FETCH_SESSION_TOPIC_ID_ERROR.
 */
import { INT64_MAX } from "../bytes/int64.ts"
import { int16, int32, int32s, int64, int8, records, string, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const Fetch = api(
  "Fetch",
  {
    clusterId: string("12+", { nullable: "12+", default: null, tag: 0, ignorable: true }),
    replicaId: int32("0-14", { default: -1 }),
    replicaState: struct(
      "15+",
      { tag: 1 },
      {
        replicaId: int32("15+", { default: -1 }),
        replicaEpoch: int64("15+", { default: -1 }),
      },
    ),
    maxWaitMs: int32("0+"),
    minBytes: int32("0+"),
    maxBytes: int32("3+", { default: 2147483647, ignorable: true }),
    isolationLevel: int8("4+", { default: 0, ignorable: true }),
    sessionId: int32("7+", { default: 0, ignorable: true }),
    sessionEpoch: int32("7+", { default: -1, ignorable: true }),
    topics: structs("0+", {
      topic: string("0-12", { ignorable: true }),
      topicId: uuid("13+", { ignorable: true }),
      partitions: structs("0+", {
        partition: int32("0+"),
        currentLeaderEpoch: int32("9+", { default: -1, ignorable: true }),
        fetchOffset: int64("0+"),
        lastFetchedEpoch: int32("12+", { default: -1 }),
        logStartOffset: int64("5+", { default: -1, ignorable: true }),
        partitionMaxBytes: int32("0+"),
        replicaDirectoryId: uuid("17+", { tag: 0, ignorable: true }),
        highWatermark: int64("18+", { default: INT64_MAX, tag: 1, ignorable: true }),
      }),
    }),
    forgottenTopicsData: structs("7+", {
      topic: string("7-12", { ignorable: true }),
      topicId: uuid("13+", { ignorable: true }),
      partitions: int32s("7+"),
    }),
    rackId: string("11+", { default: "", ignorable: true }),
  },
  {
    throttleTimeMs: int32("1+", { ignorable: true }),
    errorCode: int16("7+", { ignorable: true }),
    sessionId: int32("7+", { default: 0 }),
    responses: structs("0+", {
      topic: string("0-12", { ignorable: true }),
      topicId: uuid("13+", { ignorable: true }),
      partitions: structs("0+", {
        partitionIndex: int32("0+"),
        errorCode: int16("0+"),
        highWatermark: int64("0+"),
        lastStableOffset: int64("4+", { default: -1, ignorable: true }),
        logStartOffset: int64("5+", { default: -1, ignorable: true }),
        divergingEpoch: struct(
          "12+",
          { tag: 0 },
          {
            epoch: int32("12+", { default: -1 }),
            endOffset: int64("12+", { default: -1 }),
          },
        ),
        currentLeader: struct(
          "12+",
          { tag: 1 },
          {
            leaderId: int32("12+", { default: -1 }),
            leaderEpoch: int32("12+", { default: -1 }),
          },
        ),
        snapshotId: struct(
          "12+",
          { tag: 2 },
          {
            endOffset: int64("0+", { default: -1 }),
            epoch: int32("0+", { default: -1 }),
          },
        ),
        abortedTransactions: structs(
          "4+",
          { nullable: "4+", ignorable: true },
          {
            producerId: int64("4+"),
            firstOffset: int64("4+"),
          },
        ),
        preferredReadReplica: int32("11+", { default: -1 }),
        records: records("0+", { nullable: "0+" }),
      }),
    }),
    nodeEndpoints: structs(
      "16+",
      { tag: 0 },
      {
        nodeId: int32("16+"),
        host: string("16+"),
        port: int32("16+"),
        rack: string("16+", { nullable: "16+", default: null }),
      },
    ),
  },
)

export type FetchRequest = Decoded<typeof Fetch.request>
export type FetchResponse = Decoded<typeof Fetch.response>

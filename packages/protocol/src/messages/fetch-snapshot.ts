/**
 * FetchSnapshot (key 59): reads a KRaft snapshot piece by piece, when the log no longer goes back far enough (KIP-630).
 *
 * v1 replica directory id and leader endpoints (KIP-853).
 *
 * Errors: SNAPSHOT_NOT_FOUND, POSITION_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER,
 * FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, INCONSISTENT_CLUSTER_ID, INVALID_REQUEST, CLUSTER_AUTHORIZATION_FAILED.
 */
import { int16, int32, int64, records, string, struct, structs, uint16, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { api } from "../schema/message.ts"

export const FetchSnapshot = api(
  "FetchSnapshot",
  {
    clusterId: string("0+", { nullable: "0+", default: null, tag: 0 }),
    replicaId: int32("0+", { default: -1 }),
    maxBytes: int32("0+", { default: 2147483647 }),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        partition: int32("0+"),
        currentLeaderEpoch: int32("0+"),
        snapshotId: struct("0+", {
          endOffset: int64("0+"),
          epoch: int32("0+"),
        }),
        position: int64("0+"),
        replicaDirectoryId: uuid("1+", { tag: 0, ignorable: true }),
      }),
    }),
  },
  {
    throttleTimeMs: int32("0+", { ignorable: true }),
    errorCode: int16("0+"),
    topics: structs("0+", {
      name: string("0+"),
      partitions: structs("0+", {
        index: int32("0+"),
        errorCode: int16("0+"),
        snapshotId: struct("0+", {
          endOffset: int64("0+"),
          epoch: int32("0+"),
        }),
        currentLeader: struct(
          "0+",
          { tag: 0 },
          {
            leaderId: int32("0+"),
            leaderEpoch: int32("0+"),
          },
        ),
        size: int64("0+"),
        position: int64("0+"),
        unalignedRecords: records("0+"),
      }),
    }),
    nodeEndpoints: structs(
      "1+",
      { tag: 0 },
      {
        nodeId: int32("1+"),
        host: string("1+"),
        port: uint16("1+"),
      },
    ),
  },
)

export type FetchSnapshotRequest = Decoded<typeof FetchSnapshot.request>
export type FetchSnapshotResponse = Decoded<typeof FetchSnapshot.response>

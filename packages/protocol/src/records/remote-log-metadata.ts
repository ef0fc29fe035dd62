/**
 * Records of `__remote_log_metadata`: segments that were copied to tiered storage, and what becomes of them (KIP-405).
 */
import { bool, bytes, int32, int64, int8, string, struct, structs, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const RemoteLogSegmentMetadataRecord = record(0, "RemoteLogSegmentMetadataRecord", "0", "0+", {
  remoteLogSegmentId: struct("0+", {
    topicIdPartition: struct("0+", {
      name: string("0+"),
      id: uuid("0+"),
      partition: int32("0+"),
    }),
    id: uuid("0+"),
  }),
  startOffset: int64("0+"),
  endOffset: int64("0+"),
  brokerId: int32("0+"),
  maxTimestampMs: int64("0+"),
  eventTimestampMs: int64("0+"),
  segmentLeaderEpochs: structs("0+", {
    leaderEpoch: int32("0+"),
    offset: int64("0+"),
  }),
  segmentSizeInBytes: int32("0+"),
  customMetadata: bytes("0+", { nullable: "0+", default: null }),
  remoteLogSegmentState: int8("0+"),
  txnIndexEmpty: bool("0+", { tag: 0 }),
})
export type RemoteLogSegmentMetadataRecord = Decoded<typeof RemoteLogSegmentMetadataRecord>

export const RemoteLogSegmentMetadataUpdateRecord = record(1, "RemoteLogSegmentMetadataUpdateRecord", "0", "0+", {
  remoteLogSegmentId: struct("0+", {
    topicIdPartition: struct("0+", {
      name: string("0+"),
      id: uuid("0+"),
      partition: int32("0+"),
    }),
    id: uuid("0+"),
  }),
  brokerId: int32("0+"),
  eventTimestampMs: int64("0+"),
  customMetadata: bytes("0+", { nullable: "0+", default: null }),
  remoteLogSegmentState: int8("0+"),
})
export type RemoteLogSegmentMetadataUpdateRecord = Decoded<typeof RemoteLogSegmentMetadataUpdateRecord>

export const RemoteLogSegmentMetadataSnapshotRecord = record(3, "RemoteLogSegmentMetadataSnapshotRecord", "0", "0+", {
  segmentId: uuid("0+"),
  startOffset: int64("0+"),
  endOffset: int64("0+"),
  brokerId: int32("0+"),
  maxTimestampMs: int64("0+"),
  eventTimestampMs: int64("0+"),
  segmentLeaderEpochs: structs("0+", {
    leaderEpoch: int32("0+"),
    offset: int64("0+"),
  }),
  segmentSizeInBytes: int32("0+"),
  customMetadata: bytes("0+", { nullable: "0+", default: null }),
  remoteLogSegmentState: int8("0+"),
  txnIndexEmpty: bool("0+", { tag: 0 }),
})
export type RemoteLogSegmentMetadataSnapshotRecord = Decoded<typeof RemoteLogSegmentMetadataSnapshotRecord>

export const RemotePartitionDeleteMetadataRecord = record(2, "RemotePartitionDeleteMetadataRecord", "0", "0+", {
  topicIdPartition: struct("0+", {
    name: string("0+"),
    id: uuid("0+"),
    partition: int32("0+"),
  }),
  brokerId: int32("0+"),
  eventTimestampMs: int64("0+"),
  remotePartitionDeleteState: int8("0+"),
})
export type RemotePartitionDeleteMetadataRecord = Decoded<typeof RemotePartitionDeleteMetadataRecord>

/** A topic's settings in the shape the storage layer takes. */
import type { LogConfig } from "@millrace/storage"
import type { BrokerConfig } from "./broker.ts"
import type { TopicConfig } from "./topic.ts"

export function logConfigOf(topic: TopicConfig, broker: BrokerConfig): LogConfig {
  const compression = topic["compression.type"]
  return {
    cleanupPolicy: topic["cleanup.policy"] as LogConfig["cleanupPolicy"],
    compressionType: compression === "uncompressed" ? "none" : compression,
    segmentBytes: topic["internal.segment.bytes"] ?? topic["segment.bytes"],
    segmentMs: topic["segment.ms"],
    segmentIndexBytes: topic["segment.index.bytes"],
    retentionMs: topic["retention.ms"],
    retentionBytes: topic["retention.bytes"],
    maxMessageBytes: topic["max.message.bytes"],
    indexIntervalBytes: topic["index.interval.bytes"],
    flushMessages: topic["flush.messages"],
    flushMs: topic["flush.ms"],
    messageTimestampType: topic["message.timestamp.type"],
    messageTimestampBeforeMaxMs: topic["message.timestamp.before.max.ms"],
    messageTimestampAfterMaxMs: topic["message.timestamp.after.max.ms"],
    minCompactionLagMs: topic["min.compaction.lag.ms"],
    maxCompactionLagMs: topic["max.compaction.lag.ms"],
    minCleanableDirtyRatio: topic["min.cleanable.dirty.ratio"],
    deleteRetentionMs: topic["delete.retention.ms"],
    producerIdExpirationMs: broker["producer.id.expiration.ms"],
    decompressedBytesMax: Math.min(topic["max.decompressed.message.bytes"], DECOMPRESSED_BYTES_MAX),
  }
}

/** Kafka's default of 2 GiB is no protection for one process that decompresses in memory. */
const DECOMPRESSED_BYTES_MAX = 128 * 1024 * 1024

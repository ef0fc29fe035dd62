/** The segmented log in Kafka's on-disk formats. */
export type { AppendFailure, AppendOrigin, RecordError } from "./append.ts"
export * from "./faults.ts"
export { logDirectoryName, type TopicPartition, topicPartitionOf } from "./layout.ts"
export {
  type AppendOptions,
  type Appended,
  type AppendRefused,
  type AppendResult,
  Log,
  type LogOptions,
} from "./log.ts"
export * from "./log-config.ts"
export { LogDirectory, type LogDirectoryOptions } from "./log-directory.ts"
export { OPEN_SEGMENTS_MAX, OpenSegments } from "./open-segments.ts"
export { BATCHES_RETAINED, ProducerEntry } from "./producer-entry.ts"
export type { MetaProperties } from "./properties.ts"
export type { LogRead, ReadOptions, TimestampOffset } from "./read.ts"
export type { RecoveryReport } from "./recovery.ts"
export type { AbortedTransaction } from "./transaction-index.ts"

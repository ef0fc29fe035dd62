/**
 * What a log needs to know of its topic's configuration: Kafka's topic configs under their names in camelCase.
 */
import type { Compression } from "@millrace/protocol/record/compression"

export interface LogConfig {
  readonly cleanupPolicy: readonly ("delete" | "compact")[]
  /** "producer" keeps what the client chose. */
  readonly compressionType: Compression | "producer"
  readonly segmentBytes: number
  readonly segmentMs: number
  /** Bytes of an offset index before its segment rolls. */
  readonly segmentIndexBytes: number
  /** -1: no limit. */
  readonly retentionMs: number
  /** -1: no limit. */
  readonly retentionBytes: number
  /** Largest record batch from a client, compressed. */
  readonly maxMessageBytes: number
  readonly indexIntervalBytes: number
  readonly flushMessages: number
  readonly flushMs: number
  readonly messageTimestampType: "CreateTime" | "LogAppendTime"
  readonly messageTimestampBeforeMaxMs: number
  readonly messageTimestampAfterMaxMs: number
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  readonly minCleanableDirtyRatio: number
  readonly deleteRetentionMs: number
  /** The broker's producer.id.expiration.ms: how long an idle producer's window is kept. */
  readonly producerIdExpirationMs: number
  /** Most bytes one batch may decompress to while it is validated. */
  readonly decompressedBytesMax: number
}

export const DEFAULT_LOG_CONFIG: LogConfig = {
  cleanupPolicy: ["delete"],
  compressionType: "producer",
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 3600 * 1000,
  segmentIndexBytes: 10 * 1024 * 1024,
  retentionMs: 7 * 24 * 3600 * 1000,
  retentionBytes: -1,
  maxMessageBytes: 1_048_588,
  indexIntervalBytes: 4096,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  messageTimestampType: "CreateTime",
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  messageTimestampAfterMaxMs: 3600 * 1000,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  minCleanableDirtyRatio: 0.5,
  deleteRetentionMs: 24 * 3600 * 1000,
  producerIdExpirationMs: 24 * 3600 * 1000,
  decompressedBytesMax: 128 * 1024 * 1024,
}

/** The defaults with some values replaced. */
export function logConfig(overrides: Partial<LogConfig> = {}): LogConfig {
  return { ...DEFAULT_LOG_CONFIG, ...overrides }
}

/** Age at which a segment rolls: a record that has to be compacted by then must not stay in the active one. */
export function rollMs(config: LogConfig): number {
  return isCompacted(config) ? Math.min(config.segmentMs, config.maxCompactionLagMs) : config.segmentMs
}

export function isCompacted(config: LogConfig): boolean {
  return config.cleanupPolicy.includes("compact")
}

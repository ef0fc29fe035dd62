/**
 * The topic configuration table. A value not set on the topic comes from the broker setting that is its synonym.
 */
import { boolean, define, double, int, list, LONG_MAX, long, oneOf, parse, type Values } from "@millrace/config"

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const dynamic = "cluster-wide"

const schemaValidation = ["none", "id", "payload"] as const

export const topicConfig = define({
  "cleanup.policy": list({
    default: ["delete"],
    of: ["compact", "delete"],
    dynamic,
    synonyms: ["log.cleanup.policy"],
    doc: "What happens to old segments: deleted, compacted, or both.",
  }),
  "compression.gzip.level": int({
    default: -1,
    min: -1,
    max: 9,
    dynamic,
    synonyms: ["compression.gzip.level"],
    doc: "Level for gzip, where the topic recompresses.",
  }),
  "compression.lz4.level": int({
    default: 9,
    min: 1,
    max: 17,
    dynamic,
    synonyms: ["compression.lz4.level"],
    doc: "Level for lz4, where the topic recompresses.",
  }),
  "compression.type": oneOf(["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"], {
    default: "producer",
    dynamic,
    synonyms: ["compression.type"],
    doc: "How batches are stored; `producer` keeps what came.",
  }),
  "compression.zstd.level": int({
    default: 3,
    min: -131_072,
    max: 22,
    dynamic,
    synonyms: ["compression.zstd.level"],
    doc: "Level for zstd, where the topic recompresses.",
  }),
  "delete.retention.ms": long({
    default: 86_400_000,
    min: 0,
    dynamic,
    synonyms: ["log.cleaner.delete.retention.ms"],
    doc: "How long a deletion marker stays readable after it was first compacted.",
  }),
  "file.delete.delay.ms": long({
    default: 60_000,
    min: 0,
    dynamic,
    synonyms: ["log.segment.delete.delay.ms"],
    doc: "Accepted, without effect: the files of a deleted segment go at once.",
  }),
  "flush.messages": long({
    default: LONG_MAX,
    min: 1,
    dynamic,
    synonyms: ["log.flush.interval.messages"],
    doc: "Records after which the log is forced to the device. 1 means: before the answer.",
  }),
  "flush.ms": long({
    default: LONG_MAX,
    min: 0,
    dynamic,
    synonyms: ["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
    doc: "Age after which records are forced to the device.",
  }),
  "follower.replication.throttled.replicas": list({
    default: [],
    dynamic,
    doc: "Follower replicas whose replication is throttled, as partition:broker pairs.",
  }),
  "index.interval.bytes": int({
    default: 4096,
    min: 0,
    dynamic,
    synonyms: ["log.index.interval.bytes"],
    doc: "Bytes of log between two index entries.",
  }),
  "internal.segment.bytes": int({
    default: null,
    dynamic,
    hidden: true,
    doc: "Takes the place of segment.bytes without its lower bound. For tests.",
  }),
  "leader.replication.throttled.replicas": list({
    default: [],
    dynamic,
    doc: "Leader replicas whose replication is throttled, as partition:broker pairs.",
  }),
  "local.retention.bytes": long({
    default: -2,
    min: -2,
    dynamic,
    synonyms: ["log.local.retention.bytes"],
    doc: "What a tiered topic keeps on local disk; -2 takes retention.bytes.",
  }),
  "local.retention.ms": long({
    default: -2,
    min: -2,
    dynamic,
    synonyms: ["log.local.retention.ms"],
    doc: "How long a tiered topic keeps records on local disk; -2 takes retention.ms.",
  }),
  "max.compaction.lag.ms": long({
    default: LONG_MAX,
    min: 1,
    dynamic,
    synonyms: ["log.cleaner.max.compaction.lag.ms"],
    doc: "Age above which a record makes the log due for compaction whatever the ratio.",
  }),
  "max.decompressed.message.bytes": int({
    default: 2_147_483_639,
    min: 1,
    max: 2_147_483_639,
    dynamic,
    synonyms: ["max.decompressed.message.bytes"],
    doc: "Largest size a batch may have once decompressed.",
  }),
  "max.message.bytes": int({
    default: 1_048_588,
    min: 0,
    dynamic,
    synonyms: ["message.max.bytes"],
    doc: "Largest record batch, as compressed.",
  }),
  "message.timestamp.after.max.ms": long({
    default: HOUR_MS,
    min: 0,
    dynamic,
    synonyms: ["log.message.timestamp.after.max.ms"],
    doc: "How far a record's time may lie ahead of the broker's.",
  }),
  "message.timestamp.before.max.ms": long({
    default: LONG_MAX,
    min: 0,
    dynamic,
    synonyms: ["log.message.timestamp.before.max.ms"],
    doc: "How far a record's time may lie behind the broker's.",
  }),
  "message.timestamp.type": oneOf(["CreateTime", "LogAppendTime"], {
    default: "CreateTime",
    dynamic,
    synonyms: ["log.message.timestamp.type"],
    doc: "Whose time a record carries: its producer's, or the broker's at the append.",
  }),
  "min.cleanable.dirty.ratio": double({
    default: 0.5,
    min: 0,
    max: 1,
    dynamic,
    synonyms: ["log.cleaner.min.cleanable.ratio"],
    doc: "Share of the log that must be uncompacted before it is compacted again.",
  }),
  "min.compaction.lag.ms": long({
    default: 0,
    min: 0,
    dynamic,
    synonyms: ["log.cleaner.min.compaction.lag.ms"],
    doc: "Age below which a record is not compacted.",
  }),
  "min.insync.replicas": int({
    default: 1,
    min: 1,
    dynamic,
    synonyms: ["min.insync.replicas"],
    doc: "Replicas that must have a record before acks=all is answered.",
  }),
  preallocate: boolean({
    default: false,
    dynamic,
    synonyms: ["log.preallocate"],
    doc: "Reserve a segment's space when it is made.",
  }),
  "remote.log.copy.disable": boolean({
    default: false,
    dynamic,
    doc: "Stop copying to remote storage.",
  }),
  "remote.log.delete.on.disable": boolean({
    default: false,
    dynamic,
    doc: "Delete the remote copy when tiering is switched off.",
  }),
  "remote.storage.enable": boolean({
    default: false,
    dynamic,
    doc: "Keep older segments in remote storage. This broker has none: only false is accepted.",
    check: (enabled) => (enabled ? "must be false: this broker has no remote storage" : undefined),
  }),
  "retention.bytes": long({
    default: -1,
    dynamic,
    synonyms: ["log.retention.bytes"],
    doc: "How large a partition may grow before its oldest segments go; -1 for no limit.",
  }),
  "retention.ms": long({
    default: 168 * HOUR_MS,
    min: -1,
    dynamic,
    synonyms: [
      "log.retention.ms",
      { name: "log.retention.minutes", scale: MINUTE_MS },
      { name: "log.retention.hours", scale: HOUR_MS },
    ],
    doc: "How long records are kept; -1 keeps them for ever.",
  }),
  "segment.bytes": int({
    default: 1_073_741_824,
    min: 1_048_576,
    dynamic,
    synonyms: ["log.segment.bytes"],
    doc: "Size at which the log starts a new segment.",
  }),
  "segment.index.bytes": int({
    default: 10_485_760,
    min: 4,
    dynamic,
    synonyms: ["log.index.size.max.bytes"],
    doc: "Largest index file.",
  }),
  "segment.jitter.ms": long({
    default: 0,
    min: 0,
    dynamic,
    synonyms: ["log.roll.jitter.ms", { name: "log.roll.jitter.hours", scale: HOUR_MS }],
    doc: "Largest random amount taken off a segment's age limit.",
  }),
  "segment.ms": long({
    default: 168 * HOUR_MS,
    min: 1,
    dynamic,
    synonyms: ["log.roll.ms", { name: "log.roll.hours", scale: HOUR_MS }],
    doc: "Age at which the log starts a new segment.",
  }),
  "unclean.leader.election.enable": boolean({
    default: false,
    dynamic,
    synonyms: ["unclean.leader.election.enable"],
    doc: "Let a replica that lags become leader when no other is left.",
  }),
  "millrace.key.schema.validation": oneOf(schemaValidation, {
    default: "none",
    dynamic,
    doc: "Not enforced yet. Refuse records whose key names no registered schema (id), or does not decode by it (payload).",
  }),
  "millrace.value.schema.validation": oneOf(schemaValidation, {
    default: "none",
    dynamic,
    doc: "Not enforced yet. Refuse records whose value names no registered schema (id), or does not decode by it (payload).",
  }),
})

export type TopicConfig = Values<typeof topicConfig>

/** What is wrong with a topic's own settings beside each other. */
export function topicConfigFault(own: Readonly<Record<string, string>>): string | undefined {
  const values = parse(topicConfig, own, { unknown: "ignore" })
  const [min, max] = [values["min.compaction.lag.ms"], values["max.compaction.lag.ms"]]
  return min > max ? `Config min.compaction.lag.ms is ${min}: max.compaction.lag.ms, ${max}, is less.` : undefined
}

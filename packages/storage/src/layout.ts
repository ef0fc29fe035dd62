/**
 * Names in a data directory.
 *
 *   DIR/.lock  meta.properties  .kafka_cleanshutdown  *-offset-checkpoint
 *   DIR/TOPIC-PARTITION/  00000000000000000000.log .index .timeindex .txnindex .snapshot
 *                         leader-epoch-checkpoint  partition.metadata
 *                         *.cleaned *.swap: a compacted segment on its way into the log
 *   DIR/TOPIC-PARTITION.ID-delete/   a log that is being deleted
 *
 * A segment's files are named by the offset of its first record, a producer snapshot by the offset it was taken at.
 */
export const LOG_SUFFIX = ".log"
export const OFFSET_INDEX_SUFFIX = ".index"
export const TIME_INDEX_SUFFIX = ".timeindex"
export const TRANSACTION_INDEX_SUFFIX = ".txnindex"
export const SNAPSHOT_SUFFIX = ".snapshot"
/** Behind the other suffixes: of a compacted segment while it is written, and when it is about to replace others. */
export const CLEANED_SUFFIX = ".cleaned"
export const SWAP_SUFFIX = ".swap"
export const DELETED_DIRECTORY_SUFFIX = "-delete"
export const STRAY_DIRECTORY_SUFFIX = "-stray"
/** What a crash may leave behind: files aside of an atomic replacement, and Kafka's own marks on dying files. */
export const LEFTOVER_SUFFIXES = [".tmp", ".deleted"] as const

export const LEADER_EPOCH_FILE = "leader-epoch-checkpoint"
export const PARTITION_METADATA_FILE = "partition.metadata"
export const META_PROPERTIES_FILE = "meta.properties"
export const CLEAN_SHUTDOWN_FILE = ".kafka_cleanshutdown"
export const LOCK_FILE = ".lock"
export const RECOVERY_POINT_FILE = "recovery-point-offset-checkpoint"
export const LOG_START_OFFSET_FILE = "log-start-offset-checkpoint"
export const CLEANER_OFFSET_FILE = "cleaner-offset-checkpoint"
export const HIGH_WATERMARK_FILE = "replication-offset-checkpoint"

const OFFSET_DIGITS = 20
const DIRECTORY_NAME_MAX = 255

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export function offsetFileName(offset: number, suffix: string): string {
  return String(offset).padStart(OFFSET_DIGITS, "0") + suffix
}

/** The offset in a file's name, or undefined when the name is not one of that kind. */
export function offsetOfFileName(name: string, suffix: string): number | undefined {
  if (!name.endsWith(suffix)) return undefined
  const digits = name.slice(0, -suffix.length)
  if (!/^\d{1,20}$/.test(digits)) return undefined
  const offset = Number(digits)
  return Number.isSafeInteger(offset) ? offset : undefined
}

export function logDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** Topic and partition of a log's directory; undefined for other names and for logs that are being deleted. */
export function topicPartitionOf(directoryName: string): TopicPartition | undefined {
  const match = /^([a-zA-Z0-9._-]+)-(0|[1-9]\d*)$/.exec(directoryName)
  return match === null ? undefined : { topic: match[1]!, partition: Number(match[2]) }
}

/** The name a log's directory takes when it is deleted or put aside; a long topic name is cut so that the name stays legal. */
export function retiredDirectoryName(topic: string, partition: number, uniqueId: string, suffix: string): string {
  const tail = `-${partition}.${uniqueId}${suffix}`
  return topic.slice(0, DIRECTORY_NAME_MAX - tail.length) + tail
}

/** The directory that a name lies in: "." for a bare name. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/")
  return slash < 0 ? "." : path.slice(0, slash) || "/"
}

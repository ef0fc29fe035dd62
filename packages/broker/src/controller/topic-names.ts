/** What a topic may be called, and which names are the broker's own. */
import { ErrorCode } from "@millrace/protocol"
import { Refusal } from "./refusal.ts"

/** A directory name is `topic-partition`; with an index of up to ten digits it stays below 255 bytes. */
export const TOPIC_NAME_LENGTH_MAX = 249

export const CONSUMER_OFFSETS_TOPIC = "__consumer_offsets"
export const TRANSACTION_STATE_TOPIC = "__transaction_state"
/** The metadata log is no topic of the image, and no client may make one of its name. */
export const CLUSTER_METADATA_TOPIC = "__cluster_metadata"

export const isInternalTopic = (name: string): boolean =>
  name === CONSUMER_OFFSETS_TOPIC || name === TRANSACTION_STATE_TOPIC

/** The reason a name is not allowed, or undefined. */
export function invalidTopicName(name: string): string | undefined {
  if (name === "") return "a topic name must not be empty"
  if (name === "." || name === "..") return `a topic must not be called ${name}`
  if (name.length > TOPIC_NAME_LENGTH_MAX) {
    return `a topic name must have at most ${TOPIC_NAME_LENGTH_MAX} characters, not ${name.length}`
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `a topic name must consist of letters, digits, ".", "_" and "-", not ${JSON.stringify(name)}`
  }
  return undefined
}

export function checkTopicName(name: string): void {
  const reason = invalidTopicName(name)
  if (reason !== undefined) throw new Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, `Invalid topic: ${reason}.`)
  if (name === CLUSTER_METADATA_TOPIC) {
    throw new Refusal(ErrorCode.INVALID_TOPIC_EXCEPTION, `Invalid topic: ${name} is the metadata log's name.`)
  }
}

/** Metric names replace "." by "_", so two names that differ only there would meet. */
export const collisionKey = (name: string): string => name.replaceAll(".", "_")

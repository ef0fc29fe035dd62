/**
 * Metadata records for the birth and the end of a topic. Partitions follow in records of their own.
 */
import { string, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const TopicRecord = record(2, "TopicRecord", "0", "0+", {
  name: string("0+"),
  topicId: uuid("0+"),
})
export type TopicRecord = Decoded<typeof TopicRecord>

export const RemoveTopicRecord = record(9, "RemoveTopicRecord", "0", "0+", {
  topicId: uuid("0+"),
})
export type RemoveTopicRecord = Decoded<typeof RemoveTopicRecord>

/**
 * What a request that commits offsets names: the partitions that are there, for the coordinator, and what the others are
 * refused with. An answer tells each topic once.
 */
import { ErrorCode } from "@millrace/protocol"
import type { MetadataImage } from "../controller/image.ts"
import { topicsOnce } from "./partitions-once.ts"
import { resolveTopics } from "./topic-ids.ts"

interface CommittedTopic {
  name: string
  topicId: string
  partitions: { readonly partitionIndex: number }[]
}

export interface CommittedTopicAnswer {
  readonly name?: string
  readonly topicId?: string
  readonly partitions: { readonly partitionIndex: number; readonly errorCode: number }[]
}

export function failedTopic({ name, topicId, partitions }: CommittedTopic, errorCode: number): CommittedTopicAnswer {
  return { name, topicId, partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })) }
}

export function committedTopics<T extends CommittedTopic>(
  topics: readonly T[],
  byId: boolean,
  image: MetadataImage,
  mayRead: (topic: string) => boolean,
): { readonly known: T[]; readonly refused: CommittedTopicAnswer[] } {
  const resolved = resolveTopics(topics, byId, image, mayRead)
  const refused = resolved.refused.map(({ topic, errorCode }) => failedTopic(topic, errorCode))
  const known: T[] = []
  for (const topic of resolved.known) {
    const isThere = ({ partitionIndex }: { readonly partitionIndex: number }) =>
      image.partition(topic.name, partitionIndex) !== undefined
    const existing = topic.partitions.filter(isThere)
    const absent = topic.partitions.filter((partition) => !isThere(partition))
    if (existing.length > 0) known.push({ ...topic, partitions: existing })
    if (absent.length > 0) {
      refused.push(failedTopic({ ...topic, partitions: absent }, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION))
    }
  }
  return { known, refused }
}

/** What is told of a topic in several places, in one. */
export const toldOnce = (topics: readonly CommittedTopicAnswer[], byId: boolean): CommittedTopicAnswer[] =>
  topicsOnce(topics, ({ name, topicId }) => (byId ? topicId : name))

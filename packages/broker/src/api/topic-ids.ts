/**
 * Offsets are kept by topic name, while newer versions of the requests that carry them name topics by id (KIP-516,
 * KIP-1319). Here ids become names before a request reaches the coordinator, and ids again in its answer; what cannot be
 * resolved, or may not be touched, never gets there.
 */
import { ErrorCode, ZERO_UUID } from "@millrace/protocol"
import type { MetadataImage } from "../controller/image.ts"

interface Named {
  name: string
  topicId: string
}

export interface Resolved<T extends Named> {
  /** For the coordinator, with `name` filled in. */
  readonly known: T[]
  readonly refused: { readonly topic: T; readonly errorCode: number }[]
}

export function resolveTopics<T extends Named>(
  topics: readonly T[],
  byId: boolean,
  image: MetadataImage,
  mayRead: (topic: string) => boolean,
): Resolved<T> {
  const known: T[] = []
  const refused: { topic: T; errorCode: number }[] = []
  for (const topic of topics) {
    const name = byId ? image.topicById(topic.topicId)?.name : topic.name
    if (name === undefined) refused.push({ topic, errorCode: ErrorCode.UNKNOWN_TOPIC_ID })
    else if (!mayRead(name)) refused.push({ topic, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED })
    else known.push({ ...topic, name })
  }
  return { known, refused }
}

/** The id under which the client asked about a topic; names are what answers of older versions carry. */
export function idOf(image: MetadataImage, name: string): string {
  return image.topic(name)?.topicId ?? ZERO_UUID
}

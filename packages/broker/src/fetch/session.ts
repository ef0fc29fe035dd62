/**
 * A fetch session (KIP-227): what a client reads, kept between its fetches, so that each says only what changed and is
 * told only what changed.
 *
 * A session belongs to no connection: whoever knows its id and its next epoch goes on with it. Partitions keep the order
 * in which they are read; those that gave data go to the end, so that a full answer never starves the others. What the
 * client was told last of a partition changes in `answer` alone: an answer that is put together and thrown away, because
 * there is not enough to send yet, leaves no trace.
 */
import { type Encodable, ErrorCode } from "@millrace/protocol"
import type { Fetch, FetchRequest } from "@millrace/protocol/messages/fetch"

export type TopicAnswer = Encodable<typeof Fetch.response>["responses"][number]
export type PartitionAnswer = TopicAnswer["partitions"][number]

/** A partition as a client asks for it, by name, or from version 13 on by id. */
export interface AskedPartition {
  readonly topic: string
  readonly topicId: string
  readonly asked: FetchRequest["topics"][number]["partitions"][number]
}

/** Together with what it was asked by: answers are grouped by topic when they are sent. */
export interface AnsweredPartition {
  readonly from: AskedPartition
  readonly answer: PartitionAnswer
}

export const INITIAL_EPOCH = 0
export const FINAL_EPOCH = -1
const EPOCH_MAX = 2_147_483_647

/** After the last epoch comes 1: 0 asks for a new session. */
export const nextEpoch = (epoch: number): number => (epoch === EPOCH_MAX ? 1 : epoch + 1)

interface Cached {
  from: AskedPartition
  highWatermark: number
  logStartOffset: number
}

export const keyOf = ({ topic, topicId }: { topic: string; topicId: string }, partition: number): string =>
  `${topicId}/${topic}/${partition}`

export class FetchSession {
  readonly id: number
  readonly usesTopicIds: boolean
  readonly createdAt: number
  /** Of the request that comes next. */
  epoch = nextEpoch(INITIAL_EPOCH)
  usedAt: number
  readonly #partitions = new Map<string, Cached>()

  constructor(id: number, usesTopicIds: boolean, now: number, answered: readonly AnsweredPartition[]) {
    this.id = id
    this.usesTopicIds = usesTopicIds
    this.createdAt = now
    this.usedAt = now
    for (const { from, answer } of answered) {
      const { highWatermark, logStartOffset = -1 } = answer
      this.#partitions.set(keyOf(from, from.asked.partition), { from, highWatermark, logStartOffset })
    }
  }

  get size(): number {
    return this.#partitions.size
  }

  /** In the order of reading. */
  partitions(): AskedPartition[] {
    return [...this.#partitions.values()].map(({ from }) => from)
  }

  /** Takes in what a request says of itself; partitions that it does not name stay as they were asked for last. */
  update(named: readonly AskedPartition[], forgotten: FetchRequest["forgottenTopicsData"]): void {
    for (const from of named) {
      const key = keyOf(from, from.asked.partition)
      const cached = this.#partitions.get(key)
      if (cached) cached.from = from
      else this.#partitions.set(key, { from, highWatermark: -1, logStartOffset: -1 })
    }
    for (const topic of forgotten)
      for (const partition of topic.partitions) this.#partitions.delete(keyOf(topic, partition))
  }

  /** What of it must be told; from now on the client knows it. */
  answer(answered: readonly AnsweredPartition[]): AnsweredPartition[] {
    return answered.filter(({ from, answer }) => {
      const key = keyOf(from, from.asked.partition)
      const cached = this.#partitions.get(key)
      if (!cached) return false
      const { highWatermark, logStartOffset = -1 } = answer
      const hasData = (answer.records?.length ?? 0) > 0
      const isNews = highWatermark !== cached.highWatermark || logStartOffset !== cached.logStartOffset
      const hasFailed = answer.errorCode !== ErrorCode.NONE
      // Once the error is over the partition is told again, whatever its offsets.
      cached.highWatermark = hasFailed ? -1 : highWatermark
      cached.logStartOffset = logStartOffset
      if (hasData) {
        this.#partitions.delete(key)
        this.#partitions.set(key, cached)
      }
      return hasData || isNews || hasFailed || answer.divergingEpoch !== undefined
    })
  }
}

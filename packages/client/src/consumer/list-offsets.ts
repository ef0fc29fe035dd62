/**
 * ListOffsets: the ends of partitions, and where a time begins. Each partition is asked of its leader.
 */
import { ErrorCode } from "@millrace/protocol"
import { ListOffsets, type ListOffsetsResponse } from "@millrace/protocol/messages/list-offsets"
import { type Cluster, isStaleMetadata } from "../cluster.ts"
import { isUnanswered, kafkaError } from "../errors.ts"
import type { TopicPartition } from "../group/assignor.ts"
import { retrying } from "../network/retry.ts"

/** Times that stand for places in the log (KIP-79, KIP-734, KIP-1005). */
export const OffsetSpec = { latest: -1, earliest: -2, maxTimestamp: -3 } as const

export interface OffsetQuery extends TopicPartition {
  /** Milliseconds, or one of `OffsetSpec`. */
  readonly timestamp: number
}

export interface ListedOffset extends TopicPartition {
  /** -1: no record that young. */
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

type Answer = ListOffsetsResponse["topics"][number]["partitions"][number]

/** Answers in the order of the queries. Retries what is retriable until the timeout. */
export async function listOffsets(
  cluster: Cluster,
  queries: readonly OffsetQuery[],
  options: { readonly readCommitted: boolean; readonly timeoutMs?: number; readonly signal?: AbortSignal },
): Promise<ListedOffset[]> {
  const found = new Map<OffsetQuery, ListedOffset>()
  const { timeoutMs, signal } = options
  const retry = {
    what: "listing offsets",
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  }
  await retrying(cluster.env, retry, async () => {
    const missing = queries.filter((query) => !found.has(query))
    const byLeader = new Map<number, OffsetQuery[]>()
    for (const query of missing) {
      const { leader } = await cluster.leader(query.topic, query.partition)
      const list = byLeader.get(leader)
      if (list) list.push(query)
      else byLeader.set(leader, [query])
    }
    const asked = [...byLeader].flatMap(([leader, list]) =>
      waves(list).map((wave) => askLeader(cluster, leader, wave, options.readCommitted, found)),
    )
    const failed = (await Promise.allSettled(asked)).find((result) => result.status === "rejected")
    if (failed) throw failed.reason
  })
  return queries.map((query) => found.get(query)!)
}

/** A request must not name a partition twice: further queries of it go in requests of their own. */
function waves(queries: readonly OffsetQuery[]): OffsetQuery[][] {
  const rounds: OffsetQuery[][] = []
  const counts = new Map<string, number>()
  for (const query of queries) {
    const key = `${query.topic}-${query.partition}`
    const round = counts.get(key) ?? 0
    counts.set(key, round + 1)
    ;(rounds[round] ??= []).push(query)
  }
  return rounds
}

async function askLeader(
  cluster: Cluster,
  leader: number,
  queries: readonly OffsetQuery[],
  readCommitted: boolean,
  found: Map<OffsetQuery, ListedOffset>,
): Promise<void> {
  const byTopic = Map.groupBy(queries, ({ topic }) => topic)
  const floor = queries.some(({ timestamp }) => timestamp === OffsetSpec.maxTimestamp) ? 7 : 1
  const body = {
    replicaId: -1,
    isolationLevel: readCommitted ? 1 : 0,
    timeoutMs: cluster.env.requestTimeoutMs,
    topics: [...byTopic].map(([name, list]) => ({
      name,
      partitions: list.map(({ partition, timestamp }) => ({
        partitionIndex: partition,
        currentLeaderEpoch: cluster.metadata.partition(name, partition)?.leaderEpoch ?? -1,
        timestamp,
      })),
    })),
  }
  let answer: ListOffsetsResponse
  try {
    const connection = await cluster.leaderNode(leader)
    answer = await connection.request(ListOffsets, body, { floor })
  } catch (error) {
    if (isUnanswered(error)) await cluster.refresh().catch(() => {})
    throw error
  }
  let failure: unknown
  for (const topic of answer.topics) {
    for (const partition of topic.partitions) {
      const query = byTopic.get(topic.name)?.find((candidate) => candidate.partition === partition.partitionIndex)
      if (!query) continue
      if (partition.errorCode === ErrorCode.NONE) found.set(query, listed(query, partition))
      else {
        if (isStaleMetadata(partition.errorCode)) await cluster.refresh().catch(() => {})
        failure ??= kafkaError(partition.errorCode, `listing offsets of ${query.topic}-${query.partition}`)
      }
    }
  }
  if (failure) throw failure
  if (queries.some((query) => !found.has(query))) {
    throw kafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "listing offsets: the broker left partitions out")
  }
}

const listed = (query: OffsetQuery, answer: Answer): ListedOffset => ({
  topic: query.topic,
  partition: query.partition,
  offset: answer.offset,
  timestamp: answer.timestamp,
  leaderEpoch: answer.leaderEpoch,
})

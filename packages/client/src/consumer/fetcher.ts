/**
 * Fetches ahead of the consumer: one request at a time per leader, for every partition that has room in its buffer,
 * again as soon as the answer is here. Buffered bytes are bounded per partition and in sum.
 */
import { sleep } from "@millrace/host"
import { ErrorCode, KafkaError } from "@millrace/protocol"
import { Fetch, type FetchResponse } from "@millrace/protocol/messages/fetch"
import { type Cluster, isStaleMetadata } from "../cluster.ts"
import { isRetriableError, kafkaError } from "../errors.ts"
import type { BrokerConnection } from "../network/connection.ts"
import type { PartitionState } from "./partition-state.ts"

export interface FetchOptions {
  readonly readCommitted: boolean
  readonly fetchMinBytes: number
  readonly fetchMaxBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxPartitionFetchBytes: number
  /** Fetched and not handed out, over all partitions. */
  readonly maxBufferedBytes: number
}

/** Fetch names topics by id from this version on. */
const FETCH_TOPIC_IDS = 13
/** Buffered answers of the full size that a partition may have. */
const PARTITION_BUFFERS = 2
/**
 * What a request may wait for data while partitions were left out of it: they may want to be in the next one soon. A
 * full buffer empties within a poll or two, a pause tends to last.
 */
const FULL_WAIT_MS = 20
const PAUSED_WAIT_MS = 100

type Asked = { readonly state: PartitionState; readonly stamp: number; readonly offset: number }

export class Fetcher {
  readonly #cluster: Cluster
  readonly #options: FetchOptions
  readonly #onData: () => void
  #states: readonly PartitionState[] = []
  readonly #busy = new Set<number>()
  #turn = 0
  #failure: unknown
  #refreshing = false
  #closed = false

  constructor(cluster: Cluster, options: FetchOptions, onData: () => void) {
    this.#cluster = cluster
    this.#options = options
    this.#onData = onData
  }

  /** The partitions to fetch from now on. */
  assign(states: readonly PartitionState[]): void {
    this.#states = states
  }

  /** An error that the user must see; given once. */
  takeFailure(): unknown {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }

  close(): void {
    this.#closed = true
    this.#states = []
  }

  /** Sends what can be sent now. */
  pump(): void {
    if (this.#closed || this.#states.length === 0) return
    const now = this.#cluster.env.clock.monotonic()
    const partitionMax = this.#options.maxPartitionFetchBytes * PARTITION_BUFFERS
    let buffered = 0
    for (const state of this.#states) buffered += state.bufferedBytes
    if (buffered >= this.#options.maxBufferedBytes) return
    const byLeader = new Map<number, PartitionState[]>()
    const count = this.#states.length
    const start = this.#turn++ % count
    let waitMs = this.#options.fetchMaxWaitMs
    let unknown = false
    for (let index = 0; index < count; index++) {
      const state = this.#states[(start + index) % count]!
      if (state.position === undefined || state.isOutOfRange) continue
      if (state.paused || state.bufferedBytes >= partitionMax || state.backoffUntil > now) {
        waitMs = Math.min(waitMs, state.paused ? PAUSED_WAIT_MS : FULL_WAIT_MS)
        continue
      }
      const known = this.#cluster.metadata.partition(state.topic, state.partition)
      if (!known || known.leader < 0) {
        unknown = true
        continue
      }
      if (this.#busy.has(known.leader)) continue
      const list = byLeader.get(known.leader)
      if (list) list.push(state)
      else byLeader.set(known.leader, [state])
    }
    if (unknown) this.#refreshThenPump()
    for (const [leader, states] of byLeader) void this.#fetch(leader, states, waitMs)
  }

  async #fetch(leader: number, states: readonly PartitionState[], waitMs: number): Promise<void> {
    this.#busy.add(leader)
    const asked = states.map((state) => ({ state, stamp: state.stamp, offset: state.fetchOffset }))
    try {
      const connection = await this.#cluster.leaderNode(leader, "fetch")
      // While the connection was made, a seek or a new assignment may have come.
      const current = asked.filter(({ state, stamp }) => state.stamp === stamp)
      if (this.#closed || current.length === 0) return
      await this.#request(connection, current, waitMs)
    } catch (error) {
      if (!isRetriableError(error)) this.#fail(error)
      if (this.#closed) return
      await this.#cluster.refresh().catch(() => {})
      await sleep(this.#cluster.env.clock, this.#cluster.env.retryBackoffMs)
    } finally {
      this.#busy.delete(leader)
      this.pump()
    }
  }

  async #request(connection: BrokerConnection, asked: readonly Asked[], waitMs: number): Promise<void> {
    const { metadata } = this.#cluster
    const byTopic = Map.groupBy(asked, ({ state }) => state.topic)
    const named = [...byTopic.keys()].some((topic) => metadata.topic(topic)?.topicId === undefined)
    const found = new Map<string, readonly Asked[]>()
    const body = (version: number) => ({
      maxWaitMs: waitMs,
      minBytes: this.#options.fetchMinBytes,
      maxBytes: this.#options.fetchMaxBytes,
      isolationLevel: this.#options.readCommitted ? 1 : 0,
      topics: [...byTopic].map(([topic, list]) => {
        const topicId = metadata.topic(topic)?.topicId
        found.set(version >= FETCH_TOPIC_IDS ? topicId! : topic, list)
        const partitions = list.map(({ state, offset }) => ({
          partition: state.partition,
          currentLeaderEpoch: metadata.partition(topic, state.partition)?.leaderEpoch ?? -1,
          fetchOffset: offset,
          partitionMaxBytes: this.#options.maxPartitionFetchBytes,
        }))
        return version >= FETCH_TOPIC_IDS ? { topicId: topicId!, partitions } : { topic, partitions }
      }),
      forgottenTopicsData: [],
      rackId: "",
    })
    const askedAt = this.#cluster.env.clock.now()
    const timeoutMs = this.#cluster.env.requestTimeoutMs + waitMs
    const cap = named ? FETCH_TOPIC_IDS - 1 : Fetch.maxVersion
    const answer = await connection.request(Fetch, body, { cap, timeoutMs })
    if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, "fetching")
    let news = false
    for (const topic of answer.responses) {
      const list = found.get(topic.topic) ?? found.get(topic.topicId) ?? []
      for (const data of topic.partitions) {
        const one = list.find(({ state }) => state.partition === data.partitionIndex)
        if (one && one.state.stamp === one.stamp && this.#take(one.state, data, answer, askedAt)) news = true
      }
    }
    if (news) this.#onData()
  }

  #take(state: PartitionState, data: FetchPartition, answer: FetchResponse, askedAt: number): boolean {
    const { errorCode } = data
    if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) return state.accept(data, askedAt)
    const error = new KafkaError(errorCode, `fetching ${state.topic}-${state.partition}`)
    state.backoffUntil = this.#cluster.env.clock.monotonic() + this.#cluster.env.retryBackoffMs
    if (!isStaleMetadata(errorCode) && !error.retriable) {
      this.#fail(error)
      return true
    }
    const { leaderId, leaderEpoch } = data.currentLeader
    const endpoint = answer.nodeEndpoints.find((node) => node.nodeId === leaderId)
    const address = endpoint && { host: endpoint.host, port: endpoint.port }
    const node = endpoint && address && { id: leaderId, address, rack: endpoint.rack }
    const news = this.#cluster.metadata.applyLeader(state.topic, state.partition, leaderId, leaderEpoch, node)
    if (!news) this.#refreshThenPump()
    return false
  }

  #refreshThenPump(): void {
    if (this.#refreshing) return
    this.#refreshing = true
    const { env } = this.#cluster
    this.#cluster
      .refresh()
      .catch(() => {})
      .then(() => sleep(env.clock, env.retryBackoffMs))
      .then(() => {
        this.#refreshing = false
        this.pump()
      })
  }

  #fail(error: unknown): void {
    if (this.#closed) return
    this.#failure ??= error
    this.#onData()
  }
}

type FetchPartition = FetchResponse["responses"][number]["partitions"][number]

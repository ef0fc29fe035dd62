/**
 * A member of a consumer group whose broker assigns (KIP-848). Our client's consumer speaks the classic protocol; this is
 * the other side of the broker's new one, with that consumer reading what the broker assigns.
 *
 * `owned` follows `told` in two steps, as the user polls: what is not told any more is given up and reported, then the rest
 * is taken. While a report has no answer nothing is taken: a coordinator that reads in it that a partition is not owned here
 * may give it to another at once. Heartbeats run by timer. After one without an answer the next says everything, so that
 * its answer does. A member that is fenced loses all it has with the next poll, and joins again.
 */
import type { Timer } from "@millrace/host"
import { sleep } from "@millrace/host"
import { type Consumer, type ConsumerOptions, type FetchedPartition, KafkaClient } from "@millrace/client"
import { Cluster, CoordinatorType } from "@millrace/client/cluster"
import { commitOffsets } from "@millrace/client/consumer/committed"
import type { TopicPartition } from "@millrace/client/group/assignor"
import { type ClientOptions, resolveOptions } from "@millrace/client/options"
import type { GroupMetadata, TopicPartitionOffset } from "@millrace/client/producer/transactions"
import { ErrorCode, KafkaError } from "@millrace/protocol"
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
} from "@millrace/protocol/messages/consumer-group-heartbeat"

/** What workloads need of a member, whichever protocol it speaks. */
export type GroupReader = Pick<Consumer, "subscribe" | "poll" | "seek" | "commit" | "groupMetadata"> & {
  close(): Promise<void>
}

export const PROTOCOLS = ["classic", "consumer"] as const
export type GroupProtocol = (typeof PROTOCOLS)[number]

/** A member of a group by either protocol. */
export function groupReader(
  client: KafkaClient,
  clientOptions: ClientOptions,
  protocol: GroupProtocol,
  options: ConsumerOptions & { readonly groupId: string },
): GroupReader {
  return protocol === "classic" ? client.consumer(options) : new ConsumerMember(clientOptions, options)
}

const RETRY_MS = 100
const STALE_EPOCHS_MAX = 10
const JOIN_EPOCH = 0
const LEAVE_EPOCH = -1
/** The group goes on without the member, or is gone with it. */
const FENCED: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_MEMBER_EPOCH,
  ErrorCode.GROUP_ID_NOT_FOUND,
])

export class ConsumerMember implements GroupReader {
  readonly #client: KafkaClient
  readonly #consumer: Consumer
  readonly #cluster: Cluster
  readonly #groupId: string
  readonly #rebalanceTimeoutMs: number
  readonly #memberId: string
  #topics: readonly string[] = []
  #epoch = JOIN_EPOCH
  /** The last epoch that it was told: what it commits with, also when it is out, to be refused. */
  #generation = -1
  #told: readonly TopicPartition[] = []
  #owned: readonly TopicPartition[] = []
  #isFenced = false
  #isUnsure = false
  #mustReport = false
  #isReportOpen = false
  #isBeating = false
  #isClosed = false
  #fatal: Error | undefined
  #timer: Timer | undefined

  constructor(clientOptions: ClientOptions, options: ConsumerOptions & { readonly groupId: string }) {
    this.#client = new KafkaClient(clientOptions)
    this.#consumer = this.#client.consumer(options)
    this.#cluster = new Cluster(resolveOptions(clientOptions))
    this.#groupId = options.groupId
    this.#rebalanceTimeoutMs = options.rebalanceTimeoutMs ?? 60_000
    this.#memberId = Buffer.from(this.#cluster.env.random.bytes(16)).toString("base64url")
  }

  subscribe(topics: readonly string[]): void {
    this.#topics = topics
    this.#cluster.track(topics)
    this.#beatIn(0)
  }

  async poll(timeoutMs: number): Promise<FetchedPartition[]> {
    if (this.#fatal !== undefined) throw this.#fatal
    this.#follow()
    if (this.#owned.length > 0) return this.#consumer.poll(timeoutMs)
    await sleep(this.#cluster.env.clock, Math.min(timeoutMs, RETRY_MS))
    return []
  }

  seek(part: TopicPartition, offset: number): void {
    this.#consumer.seek(part, offset)
  }

  groupMetadata(): GroupMetadata {
    return { groupId: this.#groupId, memberId: this.#memberId, generationId: this.#generation, groupInstanceId: null }
  }

  /** With another epoch when the one that it was tried with is over, as long as the member is in. */
  async commit(offsets: readonly TopicPartitionOffset[] = []): Promise<void> {
    for (let stale = 0; ; stale++) {
      try {
        return await commitOffsets(this.#cluster, this.groupMetadata(), offsets)
      } catch (error) {
        const isStale = error instanceof KafkaError && error.code === ErrorCode.STALE_MEMBER_EPOCH
        if (!isStale || this.#isFenced || stale === STALE_EPOCHS_MAX) throw error
        await sleep(this.#cluster.env.clock, RETRY_MS)
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    if (this.#epoch > JOIN_EPOCH && !this.#isFenced) {
      this.#epoch = LEAVE_EPOCH
      await this.#send(null, false).catch(() => {})
    }
    await this.#client.close()
    await this.#cluster.close()
  }

  /** Takes the next step towards what the broker told. */
  #follow(): void {
    if (this.#isFenced) {
      this.#own([])
      this.#told = []
      this.#epoch = JOIN_EPOCH
      this.#isFenced = this.#isUnsure = this.#mustReport = this.#isReportOpen = false
      return this.#beatIn(0)
    }
    if (this.#isReportOpen || this.#isUnsure) return
    const kept = this.#owned.filter((part) => has(this.#told, part))
    if (kept.length < this.#owned.length) this.#own(kept)
    else if (this.#told.length > this.#owned.length) this.#own(this.#told)
    else return
    this.#mustReport = true
    this.#beatIn(0)
  }

  #own(partitions: readonly TopicPartition[]): void {
    this.#owned = partitions
    this.#consumer.assign(partitions)
  }

  #beatIn(delayMs: number): void {
    if (this.#isBeating || this.#isClosed) return
    this.#timer?.cancel()
    this.#timer = this.#cluster.env.clock.setTimer(delayMs, () => void this.#beat())
  }

  async #beat(): Promise<void> {
    const isFull = this.#epoch === JOIN_EPOCH || this.#isUnsure
    const reported = isFull || this.#mustReport ? this.#owned : null
    this.#isBeating = true
    this.#mustReport = false
    this.#isReportOpen = reported !== null
    let nextMs = RETRY_MS
    try {
      nextMs = this.#answered(await this.#send(reported, isFull))
    } catch {
      this.#isUnsure = true
    }
    this.#isBeating = this.#isReportOpen = false
    if (!this.#isFenced && this.#fatal === undefined) this.#beatIn(this.#mustReport ? 0 : nextMs)
  }

  async #send(reported: readonly TopicPartition[] | null, isFull: boolean): Promise<ConsumerGroupHeartbeatResponse> {
    try {
      await this.#learnIds()
      const connection = await this.#cluster.coordinator(CoordinatorType.group, this.#groupId, "group")
      const answer = await connection.request(ConsumerGroupHeartbeat, {
        groupId: this.#groupId,
        memberId: this.#memberId,
        memberEpoch: this.#epoch,
        rebalanceTimeoutMs: isFull ? this.#rebalanceTimeoutMs : -1,
        subscribedTopicNames: isFull ? [...this.#topics] : null,
        topicPartitions: reported && this.#byId(reported),
      })
      const error = new KafkaError(answer.errorCode as ErrorCode, answer.errorMessage ?? "")
      if (answer.errorCode !== ErrorCode.NONE && error.retriable) throw error
      return answer
    } catch (error) {
      this.#cluster.coordinatorFault(CoordinatorType.group, this.#groupId, error)
      throw error
    }
  }

  /** Answers when the next heartbeat is due. */
  #answered({ errorCode, errorMessage, ...answer }: ConsumerGroupHeartbeatResponse): number {
    if (FENCED.has(errorCode)) this.#isFenced = true
    else if (errorCode !== ErrorCode.NONE) this.#fatal = new KafkaError(errorCode as ErrorCode, errorMessage ?? "")
    else {
      this.#epoch = this.#generation = answer.memberEpoch
      if (answer.assignment !== null) {
        this.#told = this.#byName(answer.assignment.topicPartitions)
        this.#isUnsure = false
      }
    }
    return answer.heartbeatIntervalMs
  }

  async #learnIds(): Promise<void> {
    if (this.#topics.some((topic) => this.#idOf(topic) === undefined)) await this.#cluster.refresh()
  }

  #idOf(topic: string): string | undefined {
    return this.#cluster.metadata.topic(topic)?.topicId
  }

  #byId(parts: readonly TopicPartition[]): { topicId: string; partitions: number[] }[] {
    return [...Map.groupBy(parts, ({ topic }) => topic)].map(([topic, list]) => ({
      topicId: this.#idOf(topic)!,
      partitions: list.map(({ partition }) => partition),
    }))
  }

  #byName(assigned: readonly { readonly topicId: string; readonly partitions: readonly number[] }[]): TopicPartition[] {
    return assigned.flatMap(({ topicId, partitions }) => {
      const topic = this.#topics.find((name) => this.#idOf(name) === topicId)
      return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition }))
    })
  }
}

const has = (parts: readonly TopicPartition[], { topic, partition }: TopicPartition): boolean =>
  parts.some((part) => part.topic === topic && part.partition === partition)

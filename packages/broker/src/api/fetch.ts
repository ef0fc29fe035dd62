/**
 * Fetch (key 1), v4-18: reads record batches, waiting up to maxWaitMs for minBytes.
 *
 * v4 isolation, aborted transactions (KIP-98) · v5 log start offset · v7 sessions (KIP-227; fetch/context.ts) · v9 leader
 * epochs (KIP-320) · v10 zstd · v12 diverging epochs (KIP-595) · v13 topic ids (KIP-516) · v16 current leaders (KIP-951).
 *
 * A batch is returned whole although the offset lies within it. The first batch of an answer may exceed all limits
 * (KIP-74). Consumers see what is below the high watermark, or the last stable offset under read_committed.
 *
 * Errors: OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER,
 * FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, KAFKA_STORAGE_ERROR, TOPIC_AUTHORIZATION_FAILED; those of sessions.
 * Buffers: `records` are views of what the log read for this answer, into memory lent by the broker's pool. It goes back
 * when the network has taken the answer, or at once when what was read is not answered with; if the connection ends first,
 * never. Nothing else keeps a view: sessions remember offsets. What an answer holds is bounded by its bytes, however many
 * partitions they are of.
 */
import { BufferLoan } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { Fetch, type FetchRequest } from "@millrace/protocol/messages/fetch"
import { type FetchContext, fetchContext } from "../fetch/context.ts"
import type { AnsweredPartition, AskedPartition, PartitionAnswer, TopicAnswer } from "../fetch/session.ts"
import type { RequestContext } from "../network/context.ts"
import { type FetchRead, readForFetch } from "../partition/fetch-read.ts"
import type { Partition } from "../partition/partition.ts"
import type { DataWaiter } from "../partition/waiters.ts"
import { type Answer, handler, type Reply, type Services } from "./handler.ts"

type FetchResponse = Answer<typeof Fetch>

/** Before, a client takes a failed disk for a moved leader. */
const VERSION_STORAGE_ERROR = 6
const VERSION_DIVERGING_EPOCH = 12
const VERSION_TOPIC_IDS = 13
const READ_COMMITTED = 1
const NO_EPOCH = -1

export const fetch = handler(Fetch, {
  permissions: [{ operation: "READ", resource: "TOPIC" }],
  handle(request, context, services, reply) {
    const usesTopicIds = context.apiVersion >= VERSION_TOPIC_IDS
    const fetched = fetchContext(request, usesTopicIds, services.fetchSessions, services.clock.monotonic())
    if (typeof fetched === "number") reply({ errorCode: fetched, responses: [] })
    else new FetchCall(request, fetched, context, services, reply).run()
  },
})

interface Attempt {
  readonly answered: AnsweredPartition[]
  readonly bytes: number
  /** Something that must be said at once: an error, or an epoch that diverges. */
  readonly urgent: boolean
  /** The memory of its records. */
  readonly loan: BufferLoan
}

class FetchCall implements DataWaiter {
  readonly #request: FetchRequest
  readonly #fetch: FetchContext
  readonly #context: RequestContext
  readonly #services: Services
  readonly #reply: Reply<FetchResponse>
  readonly #waitingOn: Partition[] = []
  #bytesSeen = 0
  #scheduled = false
  #done = false
  readonly #bytesMax: number
  readonly #minBytes: number
  #timer: { cancel(): void } | undefined

  constructor(
    request: FetchRequest,
    fetched: FetchContext,
    context: RequestContext,
    services: Services,
    reply: Reply<FetchResponse>,
  ) {
    this.#request = request
    this.#fetch = fetched
    this.#context = context
    this.#services = services
    this.#reply = reply
    const quotaBytesMax = services.quotas.fetchBytesMax(context)
    this.#bytesMax = Math.min(request.maxBytes, services.config["fetch.max.bytes"], quotaBytesMax)
    this.#minBytes = Math.min(request.minBytes, this.#bytesMax)
  }

  run(): void {
    const { maxWaitMs } = this.#request
    const attempt = this.#read()
    if (attempt.urgent || attempt.bytes >= this.#minBytes || maxWaitMs <= 0 || this.#fetch.partitions.length === 0) {
      this.#answer(attempt)
      return
    }
    attempt.loan.giveBack()
    this.#bytesSeen = attempt.bytes
    this.#wait(maxWaitMs)
  }

  dataArrived(bytes: number): void {
    this.#bytesSeen += bytes
    // Under read_committed what became readable may be far more than what arrived: look again each time.
    const enough = this.#bytesSeen >= this.#minBytes || this.#request.isolationLevel === READ_COMMITTED
    if (enough) this.#retry(false)
  }

  interrupted(): void {
    this.#retry(true)
  }

  /** Once per turn, however many partitions got data in it. */
  #retry(answerAnyway: boolean): void {
    if (this.#scheduled || this.#done) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      if (this.#done) return
      const attempt = this.#read()
      if (answerAnyway || attempt.urgent || attempt.bytes >= this.#minBytes) this.#answer(attempt)
      else attempt.loan.giveBack()
    })
  }

  #wait(maxWaitMs: number): void {
    for (const { topic, topicId, asked } of this.#fetch.partitions) {
      const name = this.#topicName(topic, topicId)
      const found = name === undefined ? undefined : this.#services.replicas.partition(name, asked.partition)
      if (!found) continue
      found.fetchWaiters.add(this)
      this.#waitingOn.push(found)
    }
    this.#timer = this.#services.clock.setTimer(maxWaitMs, () => this.#answer(this.#read()), { background: true })
    this.#context.connection.onClose.add(this.#giveUp)
  }

  readonly #giveUp = (): void => {
    this.#done = true
    this.#timer?.cancel()
    for (const partition of this.#waitingOn) partition.fetchWaiters.remove(this)
    this.#context.connection.onClose.delete(this.#giveUp)
  }

  #answer(attempt: Attempt): void {
    if (this.#done) return
    this.#giveUp()
    const { quotas, clock } = this.#services
    const { throttleMs, isSent } = quotas.fetched(this.#context, attempt.bytes)
    this.#context.throttle(throttleMs)
    const { errorCode, sessionId, answered } = isSent
      ? this.#fetch.answer(attempt.answered, clock.monotonic())
      : this.#fetch.nothing()
    this.#count(answered)
    this.#reply({ errorCode, sessionId, responses: byTopic(answered) }, () => attempt.loan.giveBack())
  }

  #count(answered: readonly AnsweredPartition[]): void {
    for (const { from, answer } of answered) {
      const name = this.#topicName(from.topic, from.topicId)
      if (name === undefined) continue
      const counts = this.#services.counters.topic(name)
      counts.fetches++
      counts.bytesOut += answer.records?.length ?? 0
      if (answer.errorCode !== ErrorCode.NONE) counts.fetchFailures++
    }
  }

  #topicName(topic: string, topicId: string): string | undefined {
    const { image } = this.#services
    if (this.#context.apiVersion >= VERSION_TOPIC_IDS) return image.topicById(topicId)?.name
    return image.topic(topic)?.name
  }

  #read(): Attempt {
    const answered: AnsweredPartition[] = []
    let left = this.#bytesMax
    let bytes = 0
    let urgent = false
    const loan = new BufferLoan(this.#services.buffers)
    const take = (size: number) => loan.take(size)
    for (const from of this.#fetch.partitions) {
      const read = this.#readPartition(from, left, bytes === 0, take)
      const records = loan.keep(read.records)
      const size = records.length
      bytes += size
      left -= size
      if (read.errorCode !== ErrorCode.NONE || read.divergingEpoch) urgent = true
      answered.push({ from, answer: this.#answerOf(from, read, records) })
    }
    return { answered, bytes, urgent, loan }
  }

  #answerOf({ asked }: AskedPartition, read: FetchRead, records: Uint8Array): PartitionAnswer {
    return {
      partitionIndex: asked.partition,
      errorCode: this.#inVersion(read.errorCode),
      highWatermark: read.highWatermark,
      lastStableOffset: read.lastStableOffset,
      logStartOffset: read.logStartOffset,
      divergingEpoch: read.divergingEpoch,
      abortedTransactions: read.abortedTransactions ?? null,
      records,
    }
  }

  #inVersion(errorCode: number): number {
    const unknown = errorCode === ErrorCode.KAFKA_STORAGE_ERROR && this.#context.apiVersion < VERSION_STORAGE_ERROR
    return unknown ? ErrorCode.NOT_LEADER_OR_FOLLOWER : errorCode
  }

  #refusal(name: string | undefined, asked: string): number {
    const byId = this.#context.apiVersion >= VERSION_TOPIC_IDS
    if (name === undefined && byId) return ErrorCode.UNKNOWN_TOPIC_ID
    if (!this.#context.may("READ", "TOPIC", name ?? asked)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
    return name === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NONE
  }

  #readPartition(
    { topic, topicId, asked }: AskedPartition,
    bytesLeft: number,
    first: boolean,
    take: (size: number) => Buffer,
  ): FetchRead {
    const name = this.#topicName(topic, topicId)
    const refusal = this.#refusal(name, topic)
    if (refusal !== ErrorCode.NONE) return { ...NOTHING, errorCode: refusal }
    const partition = this.#services.replicas.partition(name!, asked.partition)
    if (!partition) return { ...NOTHING, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
    return readForFetch(partition, {
      fetchOffset: asked.fetchOffset,
      // Here, unlike in other APIs, any negative epoch says nothing.
      currentLeaderEpoch: Math.max(NO_EPOCH, asked.currentLeaderEpoch),
      // A session may have it from a request in a later version: this one has no place for what would be told.
      lastFetchedEpoch: this.#context.apiVersion < VERSION_DIVERGING_EPOCH ? NO_EPOCH : asked.lastFetchedEpoch,
      readCommitted: this.#request.isolationLevel === READ_COMMITTED,
      maxBytes: Math.min(asked.partitionMaxBytes, bytesLeft),
      minOneBatch: first,
      take,
    })
  }
}

/** Partitions of one topic that follow each other share its part of the answer. */
function byTopic(answered: readonly AnsweredPartition[]): TopicAnswer[] {
  const topics: (TopicAnswer & { partitions: PartitionAnswer[] })[] = []
  for (const { from, answer } of answered) {
    const last = topics.at(-1)
    if (last?.topic === from.topic && last.topicId === from.topicId) last.partitions.push(answer)
    else topics.push({ topic: from.topic, topicId: from.topicId, partitions: [answer] })
  }
  return topics
}

const EMPTY = new Uint8Array(0)
const NOTHING = {
  ...{ errorCode: 0, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, records: EMPTY },
  abortedTransactions: [],
}

/**
 * Fetch (key 1), v4-18: reads record batches, waiting up to maxWaitMs for minBytes.
 *
 * v4 isolation, aborted transactions (KIP-98) · v5 log start offset · v7 sessions (KIP-227): every answer has session id
 * 0, which tells a client to go on with full requests · v9 leader epochs (KIP-320) · v10 zstd · v12 diverging epochs
 * (KIP-595) · v13 topic ids (KIP-516) · v16 current leaders (KIP-951).
 *
 * A batch is returned whole although the offset lies within it. The first batch of an answer may exceed all limits
 * (KIP-74). Consumers see what is below the high watermark, or the last stable offset under read_committed.
 *
 * Errors: OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER,
 * FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, KAFKA_STORAGE_ERROR, TOPIC_AUTHORIZATION_FAILED, FETCH_SESSION_ID_NOT_FOUND.
 * Buffers: `records` are chunks that the log read for this answer; the connection owns them from then on.
 */
import { ErrorCode } from "@millrace/protocol"
import { Fetch, type FetchRequest } from "@millrace/protocol/messages/fetch"
import type { RequestContext } from "../network/context.ts"
import { type FetchRead, readForFetch } from "../partition/fetch-read.ts"
import type { Partition } from "../partition/partition.ts"
import type { DataWaiter } from "../partition/waiters.ts"
import { type Answer, handler, type Reply, type Services } from "./handler.ts"

type FetchResponse = Answer<typeof Fetch>
type TopicResponse = FetchResponse["responses"][number]

/** Before, a client takes a failed disk for a moved leader. */
const VERSION_STORAGE_ERROR = 6
const VERSION_TOPIC_IDS = 13
const READ_COMMITTED = 1
const NO_SESSION = 0
const FINAL_EPOCH = -1

export const fetch = handler(Fetch, {
  permissions: [{ operation: "READ", resource: "TOPIC" }],
  handle(request, context, services, reply) {
    if (request.sessionId !== NO_SESSION && request.sessionEpoch !== FINAL_EPOCH) {
      reply({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, responses: [] })
      return
    }
    new FetchCall(request, context, services, reply).run()
  },
})

interface Attempt {
  readonly responses: TopicResponse[]
  readonly bytes: number
  /** Something that must be said at once: an error, or an epoch that diverges. */
  readonly urgent: boolean
}

class FetchCall implements DataWaiter {
  readonly #request: FetchRequest
  readonly #context: RequestContext
  readonly #services: Services
  readonly #reply: Reply<FetchResponse>
  readonly #waitingOn: Partition[] = []
  #bytesSeen = 0
  #scheduled = false
  #done = false
  #timer: { cancel(): void } | undefined

  constructor(request: FetchRequest, context: RequestContext, services: Services, reply: Reply<FetchResponse>) {
    this.#request = request
    this.#context = context
    this.#services = services
    this.#reply = reply
  }

  run(): void {
    const { maxWaitMs, minBytes, topics } = this.#request
    const attempt = this.#read()
    if (attempt.urgent || attempt.bytes >= minBytes || maxWaitMs <= 0 || topics.length === 0) {
      this.#answer(attempt)
      return
    }
    this.#bytesSeen = attempt.bytes
    this.#wait(maxWaitMs)
  }

  dataArrived(bytes: number): void {
    this.#bytesSeen += bytes
    // Under read_committed what became readable may be far more than what arrived: look again each time.
    const enough = this.#bytesSeen >= this.#request.minBytes || this.#request.isolationLevel === READ_COMMITTED
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
      if (answerAnyway || attempt.urgent || attempt.bytes >= this.#request.minBytes) this.#answer(attempt)
    })
  }

  #wait(maxWaitMs: number): void {
    for (const { topic, topicId, partitions } of this.#request.topics) {
      const name = this.#topicName(topic, topicId)
      for (const { partition } of partitions) {
        const found = name === undefined ? undefined : this.#services.replicas.partition(name, partition)
        if (!found) continue
        found.fetchWaiters.add(this)
        this.#waitingOn.push(found)
      }
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

  #answer({ responses }: Attempt): void {
    if (this.#done) return
    this.#giveUp()
    this.#reply({ errorCode: ErrorCode.NONE, sessionId: NO_SESSION, responses })
  }

  #topicName(topic: string, topicId: string): string | undefined {
    const { image } = this.#services
    if (this.#context.apiVersion >= VERSION_TOPIC_IDS) return image.topicById(topicId)?.name
    return image.topic(topic)?.name
  }

  #read(): Attempt {
    const responses: TopicResponse[] = []
    let left = Math.min(this.#request.maxBytes, this.#services.config["fetch.max.bytes"])
    let bytes = 0
    let urgent = false
    for (const { topic, topicId, partitions } of this.#request.topics) {
      const response: TopicResponse = { topic, topicId, partitions: [] }
      responses.push(response)
      const name = this.#topicName(topic, topicId)
      const refusal = this.#refusal(name, topic)
      for (const asked of partitions) {
        const read =
          refusal === ErrorCode.NONE
            ? this.#readPartition(name!, asked, left, bytes === 0)
            : { errorCode: refusal, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, records: EMPTY }
        const size = read.records.length
        bytes += size
        left -= size
        if (read.errorCode !== ErrorCode.NONE || read.divergingEpoch) urgent = true
        response.partitions.push({
          partitionIndex: asked.partition,
          errorCode: this.#inVersion(read.errorCode),
          highWatermark: read.highWatermark,
          lastStableOffset: read.lastStableOffset,
          logStartOffset: read.logStartOffset,
          divergingEpoch: read.divergingEpoch,
          abortedTransactions: read.abortedTransactions ?? null,
          records: read.records,
        })
      }
    }
    return { responses, bytes, urgent }
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
    topic: string,
    asked: FetchRequest["topics"][number]["partitions"][number],
    bytesLeft: number,
    first: boolean,
  ): FetchRead {
    const partition = this.#services.replicas.partition(topic, asked.partition)
    if (!partition) return { ...NOTHING, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
    return readForFetch(partition, {
      fetchOffset: asked.fetchOffset,
      currentLeaderEpoch: asked.currentLeaderEpoch,
      lastFetchedEpoch: asked.lastFetchedEpoch,
      readCommitted: this.#request.isolationLevel === READ_COMMITTED,
      maxBytes: Math.min(asked.partitionMaxBytes, bytesLeft),
      minOneBatch: first,
    })
  }
}

const EMPTY = new Uint8Array(0)
const NOTHING = { errorCode: 0, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1, records: EMPTY }

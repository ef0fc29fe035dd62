/**
 * Produce (key 0), v3-13: appends record batches. Advertised from v0, since librdkafka compresses only when the range
 * covers it (KAFKA-18659); 0-2 are refused.
 *
 * v5 log start offset · v7 zstd (KIP-110) · v8 record errors (KIP-467) · v10 current leader (KIP-951) · v12 implicit
 * transaction partitions (KIP-890) · v13 topic ids (KIP-516). acks=0 gets no answer; when it fails, the connection is
 * closed instead. A batch of a transaction that the log does not know yet is first verified with the coordinator
 * (KIP-890): without that, a delayed batch would open a transaction that nobody ends.
 *
 * Buffers: `records` are views of the frame; the log writes offsets into them, and keeps none. Once every partition was
 * appended to or refused, those that wait for a transaction's coordinator included, nothing reads them any more, and the
 * frame is released, whatever its answer still waits for.
 */
import { ErrorCode, isRetriable } from "@millrace/protocol"
import { BATCH_HEADER_BYTES, RecordBatchView } from "@millrace/protocol/record/batch"
import { Produce, type ProduceRequest } from "@millrace/protocol/messages/produce"
import { CorruptRecordError } from "@millrace/protocol/record/corrupt"
import { isInternalTopic } from "../controller/topic-names.ts"
import type { RequestContext } from "../network/context.ts"
import type { Partition, PartitionAppend } from "../partition/partition.ts"
import type { OffsetWaiter } from "../partition/waiters.ts"
import type { ProducerScope } from "../replica-manager.ts"
import { type Answer, handler, type Reply, type Services } from "./handler.ts"
import { hasTransactional, isTransactional, recordsFault } from "./produce-records.ts"

type ProduceResponse = Answer<typeof Produce>
type TopicResponse = ProduceResponse["responses"][number]
type PartitionResponse = TopicResponse["partitionResponses"][number]

const ACKS_ALL = -1
const ACKS_NONE = 0
const ACKS_LEADER = 1
/** Before, a client takes a failed disk for a moved leader. */
const VERSION_STORAGE_ERROR = 4
const VERSION_LEADERS = 10
const VERSION_ABORTABLE = 11
const VERSION_IMPLICIT_ADD = 12
const VERSION_TOPIC_IDS = 13
/** Refused for these, a batch is told no log start: Kafka knows none then. */
const WITHOUT_LOG_START: ReadonlySet<number> = new Set([
  ErrorCode.CORRUPT_MESSAGE,
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
])
/** The client id under which Kafka's own tools may write to internal topics. */
const ADMIN_CLIENT_ID = "__admin_client"

export const produce = handler(Produce, {
  permissions: [
    { operation: "WRITE", resource: "TOPIC" },
    { operation: "WRITE", resource: "TRANSACTIONAL_ID" },
  ],
  advertisedMin: 0,
  handle(request, context, services, reply) {
    new ProduceCall(request, context, services, reply).run()
  },
})

class ProduceCall {
  readonly #request: ProduceRequest
  readonly #context: RequestContext
  readonly #services: Services
  readonly #reply: Reply<ProduceResponse>
  /** By name or, from v13 on, by id: a topic that is there twice is answered once, one without partitions not at all. */
  readonly #responses = new Map<string, TopicResponse>()
  /** Partitions not settled yet; one more while the request is still being walked. */
  #open = 1
  /** Of them those whose records are not appended or refused yet. */
  #unread = 1
  readonly #waiters: OffsetWaiter[] = []
  #expire: (() => void) | undefined
  #failed: ErrorCode = ErrorCode.NONE
  #leaderMoved = false

  constructor(request: ProduceRequest, context: RequestContext, services: Services, reply: Reply<ProduceResponse>) {
    this.#request = request
    this.#context = context
    this.#services = services
    this.#reply = reply
  }

  run(): void {
    const { transactionalId, topicData } = this.#request
    const refusal =
      topicData.some(hasTransactional) && !this.#mayWriteTransactions(transactionalId)
        ? ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
        : undefined
    for (const { name, topicId, partitionData } of topicData) {
      const topic = this.#resolve(name, topicId)
      for (const { index, records } of partitionData) {
        const response: PartitionResponse = { index, errorCode: ErrorCode.NONE, baseOffset: -1 }
        this.#responsesOf(name, topicId).push(response)
        const error = refusal ?? (typeof topic === "string" ? ErrorCode.NONE : topic)
        if (error !== ErrorCode.NONE) this.#refuse(response, error, null)
        else this.#appendTo(topic as string, response, records)
      }
    }
    this.#read()
    this.#settled()
    if (this.#open > 0 && this.#waiters.length > 0) this.#armTimeout()
  }

  #mayWriteTransactions(transactionalId: string | null): boolean {
    return transactionalId !== null && this.#context.may("WRITE", "TRANSACTIONAL_ID", transactionalId)
  }

  #responsesOf(name: string, topicId: string): PartitionResponse[] {
    const key = this.#context.apiVersion >= VERSION_TOPIC_IDS ? topicId : name
    let response = this.#responses.get(key)
    if (response === undefined) this.#responses.set(key, (response = { name, topicId, partitionResponses: [] }))
    return response.partitionResponses
  }

  /** The topic's name, or why it cannot be written. */
  #resolve(name: string, topicId: string): string | ErrorCode {
    const { image } = this.#services
    const byId = this.#context.apiVersion >= VERSION_TOPIC_IDS
    const topic = byId ? image.topicById(topicId) : image.topic(name)
    if (byId && !topic) return ErrorCode.UNKNOWN_TOPIC_ID
    const resolved = topic?.name ?? name
    if (!this.#context.may("WRITE", "TOPIC", resolved)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
    if (!topic) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (isInternalTopic(resolved) && this.#context.clientId !== ADMIN_CLIENT_ID) {
      return ErrorCode.INVALID_TOPIC_EXCEPTION
    }
    return resolved
  }

  #appendTo(topic: string, response: PartitionResponse, records: Uint8Array | null): void {
    const partition = this.#services.replicas.partition(topic, response.index)
    if (!partition) {
      this.#refuse(response, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, null)
      return
    }
    const fault = recordsFault(records, this.#context.apiVersion)
    if (fault !== undefined) {
      this.#refuse(response, fault.error, fault.message)
      return
    }
    const { acks } = this.#request
    if (acks !== ACKS_ALL && acks !== ACKS_NONE && acks !== ACKS_LEADER) {
      this.#refuse(response, ErrorCode.INVALID_REQUIRED_ACKS, null)
      return
    }
    // Anything shorter is refused by the log, which says what is wrong with it.
    const batch = records!.length >= BATCH_HEADER_BYTES ? new RecordBatchView(records!, 0) : undefined
    const producer = batch?.isTransactional ? this.#producerOf(batch) : undefined
    if (producer && this.#mustJoin(partition, producer)) {
      this.#joinThenAppend(partition, producer, response, records!)
      return
    }
    this.#append(partition, response, records!)
  }

  /** Undefined when the request is not transactional, or the batch is damaged: the log says what is wrong with it. */
  #producerOf(batch: RecordBatchView): ProducerScope | undefined {
    const { transactionalId } = this.#request
    if (transactionalId === null) return undefined
    try {
      return { transactionalId, producerId: batch.producerId, producerEpoch: batch.producerEpoch }
    } catch (cause) {
      if (cause instanceof CorruptRecordError) return undefined
      throw cause
    }
  }

  #mustJoin(partition: Partition, { producerId, producerEpoch }: ProducerScope): boolean {
    const verifies = this.#services.config["transaction.partition.verification.enable"]
    if (this.#context.apiVersion < VERSION_IMPLICIT_ADD && !verifies) return false
    // Behind an earlier batch that waits, or this one would be appended before it.
    if (partition.joins.has(producerId)) return true
    return partition.attempt((log) => log.hasOpenTransaction(producerId, producerEpoch)) === false
  }

  /** From v12 on the first batch makes the partition part of the transaction; before, it must have become so already. */
  #joinThenAppend(
    partition: Partition,
    producer: ProducerScope,
    response: PartitionResponse,
    records: Uint8Array,
  ): void {
    this.#open++
    this.#unread++
    const add = this.#context.apiVersion >= VERSION_IMPLICIT_ADD
    const join = partition.joins.begin(producer.producerId)
    this.#services.replicas
      .joinTransaction(partition.topic, partition.index, producer, add)
      .then((error) => {
        // From v12 on the marker has a higher epoch, and the log says so.
        if (error === ErrorCode.NONE && join.ended && !add) {
          this.#refuse(response, ErrorCode.INVALID_TXN_STATE, "The transaction ended before the batch came.")
        } else if (error === ErrorCode.NONE) this.#append(partition, response, records)
        else this.#refuse(response, this.#inVersion(error), "The partition is not part of the producer's transaction.")
        this.#read()
        partition.joins.settle(producer.producerId, join)
        this.#settled()
      })
      .catch((cause: unknown) => this.#services.onDefect(cause))
  }

  #inVersion(error: ErrorCode): ErrorCode {
    const { apiVersion } = this.#context
    // Older producers do not know that a transaction can be aborted and the producer go on.
    if (error === ErrorCode.TRANSACTION_ABORTABLE && apiVersion < VERSION_ABORTABLE) return ErrorCode.INVALID_TXN_STATE
    if (error === ErrorCode.CONCURRENT_TRANSACTIONS && apiVersion >= VERSION_IMPLICIT_ADD) return error
    // Producers know how to retry this one; what ails the coordinator means nothing to them here.
    return isRetriable(error) ? ErrorCode.NOT_ENOUGH_REPLICAS : error
  }

  #append(partition: Partition, response: PartitionResponse, records: Uint8Array): void {
    const all = this.#request.acks === ACKS_ALL
    // Of transactions alone: an idempotent producer that was silent until the log forgot it goes on with its sequence.
    const requiresVerification = isTransactional(records) && this.#context.apiVersion >= VERSION_IMPLICIT_ADD
    const result = partition.append(records, { origin: "client", requiresVerification }, all)
    if (!result.ok) {
      this.#services.counters.topic(partition.topic).produceFailures++
      this.#refused(response, result)
      return
    }
    const counts = this.#services.counters.topic(partition.topic)
    counts.batchesIn++
    counts.bytesIn += records.length
    counts.recordsIn += result.lastOffset - result.baseOffset + 1
    response.baseOffset = result.baseOffset
    response.logAppendTimeMs = result.logAppendTime
    response.logStartOffset = result.logStartOffset
    const next = result.lastOffset + 1
    if (all ? next <= partition.highWatermark : !partition.flushesFirst) return
    this.#open++
    const settle = (error: number | undefined) => {
      if (error !== undefined) this.#refuse(response, error as ErrorCode, null)
      this.#settled()
    }
    const waiter = all ? partition.whenCommitted(next, settle) : partition.whenFlushed(next, settle)
    if (waiter) this.#waiters.push(waiter)
  }

  #refused(response: PartitionResponse, result: Extract<PartitionAppend, { ok: false }>): void {
    if (result.error === ErrorCode.NOT_LEADER_OR_FOLLOWER) this.#leaderMoved = true
    response.logStartOffset = WITHOUT_LOG_START.has(result.error) ? -1 : result.logStartOffset
    if (result.recordErrors) {
      response.recordErrors = result.recordErrors.map(({ batchIndex, message }) => ({
        batchIndex,
        batchIndexErrorMessage: message,
      }))
    }
    this.#refuse(response, result.error, result.message)
  }

  #refuse(response: PartitionResponse, error: ErrorCode, message: string | null): void {
    response.errorCode =
      error === ErrorCode.KAFKA_STORAGE_ERROR && this.#context.apiVersion < VERSION_STORAGE_ERROR
        ? ErrorCode.NOT_LEADER_OR_FOLLOWER
        : error
    response.baseOffset = -1
    response.logAppendTimeMs = -1
    response.errorMessage = message
    this.#failed = error
  }

  #read(): void {
    if (--this.#unread === 0) this.#context.release()
  }

  #settled(): void {
    if (--this.#open > 0) return
    this.#expire?.()
    this.#answer()
  }

  #answer(): void {
    const { quotas } = this.#services
    this.#context.throttle(quotas.produced(this.#context, this.#context.requestBytes))
    if (this.#request.acks === ACKS_NONE) {
      // Nobody waits for an answer; losing the connection is how such a producer learns of a failure.
      if (this.#failed !== ErrorCode.NONE) this.#context.fail(`produce with acks=0 failed with error ${this.#failed}`)
      else this.#reply(null)
      return
    }
    const response: ProduceResponse = { responses: [...this.#responses.values()] }
    if (this.#leaderMoved && this.#context.apiVersion >= VERSION_LEADERS) this.#nameLeaders(response)
    this.#reply(response)
  }

  /** KIP-951: who leads now, so that the client need not ask. */
  #nameLeaders(response: ProduceResponse): void {
    const { image, services } = { image: this.#services.image, services: this.#services }
    const nodes = new Map<number, NonNullable<ProduceResponse["nodeEndpoints"]>[number]>()
    for (const { name, topicId, partitionResponses } of this.#responses.values()) {
      const topic = name ? image.topic(name) : image.topicById(topicId!)
      for (const partition of partitionResponses) {
        const leadership = topic?.partitions[partition.index]
        if (partition.errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER || !leadership) continue
        const { leader, leaderEpoch } = leadership
        partition.currentLeader = { leaderId: leader, leaderEpoch }
        const broker = image.broker(leader)
        const endpoint = broker && services.endpoint(broker, this.#context)
        if (endpoint) nodes.set(leader, { nodeId: leader, host: endpoint.host, port: endpoint.port, rack: broker.rack })
      }
    }
    response.nodeEndpoints = [...nodes.values()]
  }

  #armTimeout(): void {
    const timer = this.#services.clock.setTimer(this.#request.timeoutMs, () => {
      for (const waiter of this.#waiters) {
        if (waiter.done) continue
        waiter.done = true
        waiter.settle(ErrorCode.REQUEST_TIMED_OUT)
      }
    })
    this.#expire = () => timer.cancel()
  }
}

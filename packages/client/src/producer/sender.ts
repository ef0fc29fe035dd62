/**
 * Sends what the accumulator has ready: one request per leader with one batch per partition, up to `maxInFlight` of them
 * unanswered, and deals with the answers.
 *
 * It runs on events (a batch was opened or filled, an answer came, a timer the accumulator asked for), never in a loop.
 */
import { sleep, type Timer } from "@millrace/host"
import { ErrorCode, type KafkaError } from "@millrace/protocol"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { Produce, type ProduceResponse } from "@millrace/protocol/messages/produce"
import { type Cluster, isStaleMetadata } from "../cluster.ts"
import { isUnanswered, kafkaError, ProducerFenced, TimeoutError } from "../errors.ts"
import { backoffDelay } from "../network/backoff.ts"
import type { BrokerConnection } from "../network/connection.ts"
import { retrying } from "../network/retry.ts"
import type { Accumulator } from "./accumulator.ts"
import { NO_IDENTITY, type ProducerBatch, type ProducerIdentity } from "./batch.ts"
import { outcomeOf } from "./outcome.ts"
import type { PartitionQueue } from "./partition-queue.ts"

export interface SenderOptions {
  readonly acks: -1 | 1
  readonly idempotent: boolean
  readonly transactionalId: string | null
  /** Requests unanswered per broker. */
  readonly maxInFlight: number
  readonly maxRequestSize: number
  readonly requestTimeoutMs: number
}

/** What a transaction has to say about sending. */
export interface SenderGate {
  /** Highest Produce version allowed now. */
  readonly produceCap: number
  /** Whether the partition's batches may leave. */
  admits(queue: PartitionQueue): boolean
  /** Whether failed batches go again: not while aborting. */
  readonly retries: boolean
  /** A batch failed for good; `sequenceLost` when its sequence had been given out. */
  failed(error: unknown, sequenceLost: boolean): void
  fenced(error: ProducerFenced): void
}

/** Versions from which Produce names topics by id. */
const PRODUCE_TOPIC_IDS = 13

type ProducePartition = ProduceResponse["responses"][number]["partitionResponses"][number]

export class Sender {
  readonly #cluster: Cluster
  readonly #accumulator: Accumulator
  readonly #options: SenderOptions
  readonly #gate: SenderGate
  readonly #inFlight = new Map<number, number>()
  readonly #connecting = new Set<number>()
  readonly #onRelease: (batch: ProducerBatch, error: unknown) => void
  #timer: Timer | undefined
  #timerAt = Infinity
  #scheduled = false
  #identifying = false
  #closed = false

  constructor(
    cluster: Cluster,
    accumulator: Accumulator,
    options: SenderOptions,
    gate: SenderGate,
    onRelease: (batch: ProducerBatch, error: unknown) => void,
  ) {
    this.#cluster = cluster
    this.#accumulator = accumulator
    this.#options = options
    this.#gate = gate
    this.#onRelease = onRelease
  }

  /** Looks, once this turn is over, what can be sent. */
  wake(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      if (!this.#closed) this.#drain()
    })
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  /** Takes a batch out for good, with an error or without. */
  release(batch: ProducerBatch, error?: unknown): void {
    this.#accumulator.release(batch, error === undefined)
    if (error !== undefined) batch.fail(error)
    this.#onRelease(batch, error)
  }

  #drain(): void {
    const now = this.#cluster.env.clock.monotonic()
    this.#expire(now)
    if (this.#identified()) while (this.#sendRound(now)) continue
    this.#arm(now)
  }

  #expire(now: number): void {
    for (const batch of this.#accumulator.expired(now)) {
      const { deliveryTimeoutMs } = this.#accumulator.options
      const what = `${batch.recordCount} records for ${batch.topic}-${batch.partition}`
      const { retryCause: cause } = batch
      const reason = cause instanceof Error ? `: ${cause.message}` : ""
      const message = `${what} were not delivered within ${deliveryTimeoutMs} ms${reason}`
      this.#fail(batch, new TimeoutError(message, { cause }))
    }
  }

  /** True once an idempotent producer has its id; asks for one when there is none or a partition needs another. */
  #identified(): boolean {
    const { idempotent, transactionalId } = this.#options
    if (!idempotent) return true
    const missing = this.#accumulator.identity === NO_IDENTITY
    if (transactionalId !== null) return !missing
    if ((missing || this.#accumulator.wantsIdentity) && !this.#identifying) this.#identify()
    return !missing
  }

  #identify(): void {
    this.#identifying = true
    const { env } = this.#cluster
    const attempt = async (): Promise<ProducerIdentity> => {
      const connection = await this.#cluster.any()
      const answer = await connection.request(InitProducerId, {
        transactionalId: null,
        transactionTimeoutMs: 0x7fffffff,
      })
      if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, "getting a producer id")
      return { id: answer.producerId, epoch: answer.producerEpoch }
    }
    retrying(env, { what: "getting a producer id" }, attempt)
      .then((identity) => {
        const doubtful = this.#accumulator.setIdentity(identity, false)
        for (const batch of doubtful) {
          const what = `${batch.topic}-${batch.partition}: the batch may be in the log, and its sequence was lost`
          this.release(batch, new TimeoutError(what))
        }
      })
      .catch((error: unknown) => {
        for (const batch of this.#accumulator.drop()) this.release(batch, error)
      })
      .finally(() => {
        this.#identifying = false
        this.wake()
      })
  }

  /** Sends at most one request per leader; true when it sent any. */
  #sendRound(now: number): boolean {
    const requests = new Map<number, { connection: BrokerConnection; batches: ProducerBatch[]; bytes: number }>()
    for (const queue of this.#accumulator.active()) {
      // Also registers the partition with the transaction, before its batch is due.
      if (!this.#gate.admits(queue)) continue
      if (!this.#accumulator.canTake(queue, now)) continue
      const leader = this.#leader(queue, now)
      if (leader === undefined || (this.#inFlight.get(leader) ?? 0) >= this.#options.maxInFlight) continue
      const connection = this.#cluster.openNode(leader, "main")
      if (!connection) {
        this.#connect(leader)
        continue
      }
      const request = requests.get(leader)
      const size = (queue.retries[0] ?? queue.ready[0])!.sizeInBytes
      if (request && request.bytes + size > this.#options.maxRequestSize) continue
      const batch = this.#accumulator.take(queue)
      if (request) {
        request.batches.push(batch)
        request.bytes += size
      } else requests.set(leader, { connection, batches: [batch], bytes: size })
    }
    for (const [leader, { connection, batches }] of requests) this.#send(leader, connection, batches)
    return requests.size > 0
  }

  #leader(queue: PartitionQueue, now: number): number | undefined {
    const known = this.#cluster.metadata.partition(queue.topic, queue.partition)
    if (known && known.leader >= 0) return known.leader
    this.#backOff(queue, now, 0)
    this.#cluster.track([queue.topic])
    this.#refresh()
    return undefined
  }

  #refresh(): void {
    this.#cluster.refresh().then(
      () => this.wake(),
      () => {},
    )
  }

  #connect(leader: number): void {
    if (this.#connecting.has(leader)) return
    this.#connecting.add(leader)
    const done = () => {
      this.#connecting.delete(leader)
      this.wake()
    }
    this.#cluster.leaderNode(leader).then(done, async () => {
      // A leader that cannot be reached may not be the leader any more.
      await this.#cluster.refresh().catch(() => {})
      await sleep(this.#cluster.env.clock, this.#cluster.env.retryBackoffMs)
      done()
    })
  }

  #send(leader: number, connection: BrokerConnection, batches: ProducerBatch[]): void {
    this.#inFlight.set(leader, (this.#inFlight.get(leader) ?? 0) + 1)
    const byTopic = Map.groupBy(batches, (batch) => batch.topic)
    const { metadata } = this.#cluster
    const named = [...byTopic.keys()].some((topic) => metadata.topic(topic)?.topicId === undefined)
    const cap = Math.min(this.#gate.produceCap, named ? PRODUCE_TOPIC_IDS - 1 : Produce.maxVersion)
    const keys = new Map<string, ProducerBatch[]>()
    const body = (version: number) => ({
      transactionalId: this.#options.transactionalId,
      acks: this.#options.acks,
      timeoutMs: this.#options.requestTimeoutMs,
      topicData: [...byTopic].map(([topic, list]) => {
        const topicId = metadata.topic(topic)?.topicId
        keys.set(version >= PRODUCE_TOPIC_IDS ? topicId! : topic, list)
        const partitionData = list.map((batch) => ({ index: batch.partition, records: batch.bytes }))
        return version >= PRODUCE_TOPIC_IDS ? { topicId: topicId!, partitionData } : { name: topic, partitionData }
      }),
    })
    connection
      .request(Produce, body, { cap })
      .then(
        (answer) => this.#answered(answer, keys, batches),
        (error: unknown) => this.#unanswered(batches, error),
      )
      .finally(() => {
        this.#inFlight.set(leader, this.#inFlight.get(leader)! - 1)
        this.wake()
      })
  }

  #answered(answer: ProduceResponse, keys: Map<string, ProducerBatch[]>, batches: ProducerBatch[]): void {
    const open = new Set(batches)
    for (const topic of answer.responses) {
      const list = keys.get(topic.name) ?? keys.get(topic.topicId) ?? []
      for (const partition of topic.partitionResponses) {
        const batch = list.find((candidate) => candidate.partition === partition.index)
        if (batch === undefined || !open.delete(batch)) continue
        this.#settle(batch, partition)
        const { leaderId, leaderEpoch } = partition.currentLeader
        if (leaderId < 0) continue
        const endpoint = answer.nodeEndpoints.find((node) => node.nodeId === leaderId)
        const address = endpoint && { host: endpoint.host, port: endpoint.port }
        const node = endpoint && address && { id: leaderId, address, rack: endpoint.rack }
        this.#cluster.metadata.applyLeader(batch.topic, batch.partition, leaderId, leaderEpoch, node)
      }
    }
    for (const batch of open) this.#retry(batch, true)
  }

  #settle(batch: ProducerBatch, partition: ProducePartition): void {
    const { idempotent, transactionalId } = this.#options
    const queue = this.#accumulator.queue(batch.topic, batch.partition)
    const outcome = outcomeOf(partition.errorCode, {
      idempotent,
      transactional: transactionalId !== null,
      isHead: queue.isHead(batch),
      sequenceLost: queue.poisoned,
      maybeAppended: batch.maybeAppended,
    })
    if (isStaleMetadata(partition.errorCode)) this.#refresh()
    if (outcome.kind === "appended") {
      batch.succeed(partition.errorCode === 0 ? partition.baseOffset : -1, partition.logAppendTimeMs)
      return this.release(batch)
    }
    const error = produceError(batch, partition)
    batch.retryCause = error
    if (outcome.kind === "retry" && this.#gate.retries) {
      // The broker knows of no such sequence: no earlier attempt worked either.
      if (partition.errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) batch.maybeAppended = false
      return this.#retry(batch, outcome.maybeAppended)
    }
    if (outcome.kind === "reset") {
      queue.poisoned = true
      return this.#retry(batch, false)
    }
    if (outcome.kind === "fenced") {
      const fenced = new ProducerFenced(`transactional id ${transactionalId}: ${error.message}`, { cause: error })
      this.#gate.fenced(fenced)
      return this.#fail(batch, fenced)
    }
    this.#fail(batch, error)
  }

  #unanswered(batches: ProducerBatch[], error: unknown): void {
    if (isUnanswered(error)) this.#refresh()
    for (const batch of batches) {
      batch.retryCause = error
      if (isUnanswered(error) && this.#gate.retries) this.#retry(batch, true)
      else this.#fail(batch, error)
    }
  }

  #retry(batch: ProducerBatch, maybeAppended: boolean): void {
    if (maybeAppended) batch.maybeAppended = true
    const queue = this.#accumulator.queue(batch.topic, batch.partition)
    const now = this.#cluster.env.clock.monotonic()
    queue.retry(batch, now)
    this.#backOff(queue, now, batch.attempts - 1)
  }

  #backOff(queue: PartitionQueue, now: number, attempt: number): void {
    const { random, retryBackoffMs: initialMs, retryBackoffMaxMs: maxMs } = this.#cluster.env
    queue.backoffUntil = now + backoffDelay({ initialMs, maxMs }, attempt, random)
  }

  #fail(batch: ProducerBatch, error: unknown): void {
    const sequenceLost = this.#options.idempotent && batch.isSealed
    if (sequenceLost && this.#options.transactionalId === null) {
      this.#accumulator.queue(batch.topic, batch.partition).poisoned = true
    }
    this.#gate.failed(error, sequenceLost)
    this.release(batch, error)
  }

  #arm(now: number): void {
    const at = this.#accumulator.nextWakeUp(now) ?? Infinity
    if (at === this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = undefined
    if (at === Infinity) return
    this.#timer = this.#cluster.env.clock.setTimer(Math.max(0, Math.ceil(at - now)), () => {
      this.#timerAt = Infinity
      this.wake()
    })
  }
}

function produceError(batch: ProducerBatch, partition: ProducePartition): KafkaError {
  const first = partition.recordErrors[0]
  const record = first ? ` (record ${first.batchIndex}: ${first.batchIndexErrorMessage ?? "refused"})` : ""
  const what = `producing ${batch.recordCount} records to ${batch.topic}-${batch.partition}${record}`
  return kafkaError(partition.errorCode, what, partition.errorMessage)
}

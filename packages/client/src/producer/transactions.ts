/**
 * Runs the transaction state machine against the coordinators (KIP-98, KIP-360, KIP-447, KIP-890).
 *
 * Requests to the coordinator go one at a time. With protocol 1 partitions are announced by AddPartitionsToTxn before
 * their first batch leaves; with protocol 2 the broker does that itself, and every EndTxn answers a new epoch.
 */
import { sleep } from "@millrace/host"
import { ErrorCode, KafkaError } from "@millrace/protocol"
import { AddOffsetsToTxn } from "@millrace/protocol/messages/add-offsets-to-txn"
import { AddPartitionsToTxn } from "@millrace/protocol/messages/add-partitions-to-txn"
import { EndTxn } from "@millrace/protocol/messages/end-txn"
import { InitProducerId } from "@millrace/protocol/messages/init-producer-id"
import { Produce } from "@millrace/protocol/messages/produce"
import { TxnOffsetCommit } from "@millrace/protocol/messages/txn-offset-commit"
import { type Cluster, CoordinatorType } from "../cluster.ts"
import {
  CommitFailed,
  CommitOutcomeUnknown,
  isRetriableError,
  isUnanswered,
  kafkaError,
  ProducerFatal,
  ProducerFenced,
  TransactionAbortable,
} from "../errors.ts"
import type { BrokerConnection } from "../network/connection.ts"
import { retrying } from "../network/retry.ts"
import type { ProducerIdentity } from "./batch.ts"
import { TransactionState } from "./transaction-state.ts"

export interface TopicPartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly leaderEpoch?: number
  readonly metadata?: string | null
}

/** Who commits offsets, as of the last poll (KIP-447). */
export interface GroupMetadata {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export interface TransactionOptions {
  readonly transactionalId: string
  readonly transactionTimeoutMs: number
  /** How long EndTxn and its like are tried before their outcome counts as unknown. */
  readonly transactionRequestTimeoutMs: number
  /** Highest protocol to use: 1 announces partitions itself. */
  readonly transactionVersionMax: 1 | 2
}

/** Highest versions that belong to transaction protocol 1. */
const V1 = { produce: 11, txnOffsetCommit: 4, endTxn: 4, addPartitions: 3 } as const
/** Lowest versions that belong to transaction protocol 2. */
const V2 = { produce: 12, txnOffsetCommit: 5, endTxn: 5 } as const
/** TxnOffsetCommit names topics up to here. */
const TXN_OFFSET_COMMIT_NAMES = 5
/** The last transaction's markers are being written: it is a matter of milliseconds. */
const CONCURRENT_BACKOFF_MS = 10

const UNDECIDED: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.UNKNOWN_SERVER_ERROR,
])
const FENCING: ReadonlySet<number> = new Set([ErrorCode.PRODUCER_FENCED, ErrorCode.INVALID_PRODUCER_EPOCH])
const FATAL: ReadonlySet<number> = new Set([
  ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.INVALID_PRODUCER_ID_MAPPING,
  ErrorCode.INVALID_TRANSACTION_TIMEOUT,
  ErrorCode.UNSUPPORTED_VERSION,
])
const MEMBERSHIP: ReadonlySet<number> = new Set([
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.STALE_MEMBER_EPOCH,
  ErrorCode.REBALANCE_IN_PROGRESS,
])

export class Transactions {
  readonly state = new TransactionState()
  readonly #cluster: Cluster
  readonly #options: TransactionOptions
  readonly #onAdded: () => void
  #identity: ProducerIdentity = { id: -1, epoch: -1 }
  #protocol: 1 | 2 = 1
  #turn: Promise<unknown> = Promise.resolve()
  #adding = false

  /** `onAdded` is called when partitions became ready to be produced to. */
  constructor(cluster: Cluster, options: TransactionOptions, onAdded: () => void) {
    this.#cluster = cluster
    this.#options = options
    this.#onAdded = onAdded
  }

  get identity(): ProducerIdentity {
    return this.#identity
  }
  get protocol(): 1 | 2 {
    return this.#protocol
  }
  get produceCap(): number {
    return this.#protocol === 1 ? V1.produce : Produce.maxVersion
  }

  /** Gets the producer id; ends what an earlier producer of this id left open. */
  async initialize(): Promise<ProducerIdentity> {
    this.state.requireInitializable()
    await this.#initProducerId("initTransactions", { id: -1, epoch: -1 })
    this.state.initialized()
    return this.#identity
  }

  /** Whether batches of the partition may leave; announces it otherwise. */
  admits(topic: string, partition: number): boolean {
    if (this.#protocol === 2) {
      this.state.implicit(topic, partition)
      return true
    }
    if (this.state.admits(topic, partition)) return true
    if (this.state.hasWaiting && !this.#adding) this.#announce()
    return false
  }

  #announce(): void {
    this.#adding = true
    this.#serially(async () => {
      // What was registered meanwhile goes with it; what comes later starts another round.
      const topics = this.state.takeWaiting()
      if (topics.length > 0) await this.#addPartitions(topics)
    })
      .then(
        () => this.state.partitionsAdded(),
        (error: unknown) => {
          this.state.partitionsRefused()
          this.fail(this.#classified(error, "adding partitions to the transaction"), false)
        },
      )
      .finally(() => {
        this.#adding = false
        this.#onAdded()
      })
  }

  #addPartitions(topics: readonly { readonly topic: string; readonly partitions: number[] }[]): Promise<void> {
    const named = topics.map(({ topic, partitions }) => ({ name: topic, partitions }))
    return this.#coordinate("adding partitions to the transaction", async (connection) => {
      const body = {
        v3AndBelowTransactionalId: this.#options.transactionalId,
        v3AndBelowProducerId: this.#identity.id,
        v3AndBelowProducerEpoch: this.#identity.epoch,
        v3AndBelowTopics: named,
      }
      const answer = await connection.request(AddPartitionsToTxn, body, { cap: V1.addPartitions }).catch(this.#unsure)
      let refusal: { topic: string; partition: number; code: number } | undefined
      for (const topic of answer.resultsByTopicV3AndBelow) {
        for (const { partitionIndex, partitionErrorCode: code } of topic.resultsByPartition) {
          // The partitions without fault of their own are not what to report.
          if (code === ErrorCode.NONE || (refusal && code === ErrorCode.OPERATION_NOT_ATTEMPTED)) continue
          refusal = { topic: topic.name, partition: partitionIndex, code }
        }
      }
      if (refusal) throw kafkaError(refusal.code, `adding ${refusal.topic}-${refusal.partition} to the transaction`)
    })
  }

  /** Makes consumed offsets part of the transaction: one TxnOffsetCommit. */
  async sendOffsets(offsets: readonly TopicPartitionOffset[], group: GroupMetadata): Promise<void> {
    this.state.requireOpen("sendOffsetsToTransaction")
    if (offsets.length === 0) return
    try {
      await this.#serially(async () => {
        if (this.#protocol === 1) await this.#addOffsets(group.groupId)
        await this.#commitOffsets(offsets, group)
      })
    } catch (error) {
      const classified = this.#classified(error, `committing offsets of group ${group.groupId} in the transaction`)
      this.fail(classified, false)
      throw classified instanceof ProducerFenced || classified instanceof ProducerFatal
        ? classified
        : new TransactionAbortable(message(classified), { cause: classified })
    }
  }

  #addOffsets(groupId: string): Promise<void> {
    const what = `adding group ${groupId} to the transaction`
    return this.#coordinate(what, async (connection) => {
      const body = { ...this.#who(), groupId }
      const answer = await connection.request(AddOffsetsToTxn, body).catch(this.#unsure)
      if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what)
      this.state.offsetsAdded()
    })
  }

  #commitOffsets(offsets: readonly TopicPartitionOffset[], group: GroupMetadata): Promise<void> {
    const byTopic = Map.groupBy(offsets, (offset) => offset.topic)
    const topics = [...byTopic].map(([name, list]) => ({
      name,
      partitions: list.map((entry) => ({
        partitionIndex: entry.partition,
        committedOffset: entry.offset,
        committedLeaderEpoch: entry.leaderEpoch ?? -1,
        committedMetadata: entry.metadata ?? "",
      })),
    }))
    const implicit = this.#protocol === 2
    const range = implicit
      ? { floor: V2.txnOffsetCommit, cap: TXN_OFFSET_COMMIT_NAMES }
      : { cap: V1.txnOffsetCommit, floor: 3 }
    const what = `committing offsets of group ${group.groupId} in the transaction`
    const key = { type: CoordinatorType.group, key: group.groupId }
    return this.#coordinate(
      what,
      async (connection) => {
        const body = {
          ...this.#who(),
          groupId: group.groupId,
          generationIdOrMemberEpoch: group.generationId,
          memberId: group.memberId,
          groupInstanceId: group.groupInstanceId,
          topics,
        }
        const request = connection.request(TxnOffsetCommit, body, range)
        const answer = await (implicit ? request.catch(this.#unsure) : request)
        for (const topic of answer.topics) {
          for (const { partitionIndex, errorCode } of topic.partitions) {
            if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, `${what}: ${topic.name}-${partitionIndex}`)
          }
        }
        this.state.offsetsAdded()
      },
      key,
    )
  }

  /** Ends the transaction with a commit. Everything must have been acknowledged before. */
  async commit(): Promise<void> {
    const { state } = this
    state.startCommit()
    if (!state.isStarted) return state.ended()
    let unanswered = false
    try {
      await this.#serially(() => this.#endTransaction(true, () => (unanswered = true)))
    } catch (error) {
      const { transactionalId } = this.#options
      if (unanswered) {
        state.outcomeUnknown()
        const what = `transactional id ${transactionalId}: EndTxn(commit) was sent and its outcome is not known`
        throw new CommitOutcomeUnknown(`${what}: ${message(error)}`, { cause: error })
      }
      const classified = this.#classified(error, "commitTransaction")
      this.fail(classified, false)
      if (classified instanceof ProducerFenced || classified instanceof ProducerFatal) throw classified
      throw new TransactionAbortable(`commitTransaction: ${message(error)}`, { cause: error })
    }
    state.ended()
  }

  /** Ends the transaction with an abort; nothing may be in flight. The caller has called `state.startAbort`. */
  async abort(): Promise<void> {
    const { state } = this
    try {
      await this.#serially(async () => {
        if (!state.isStarted) return
        await this.#endTransaction(false, () => {}).catch((error: unknown) => {
          const none = error instanceof KafkaError && error.code === ErrorCode.INVALID_TXN_STATE
          // A request that got no answer made us believe in a transaction that never was.
          if (!none || state.isConfirmed) throw error
        })
      })
      if (state.bumpRequired && this.#protocol === 1) await this.#initProducerId("abortTransaction", this.#identity)
    } catch (error) {
      const classified = this.#classified(error, "abortTransaction")
      if (classified instanceof ProducerFenced || classified instanceof ProducerFatal) state.fatal(classified)
      else if (isRetriableError(error)) state.outcomeUnknown()
      else state.fatal(classified)
      throw classified
    }
    state.ended()
  }

  #endTransaction(committed: boolean, onUnanswered: () => void): Promise<void> {
    const what = committed ? "committing the transaction" : "aborting the transaction"
    const range = this.#protocol === 1 ? { cap: V1.endTxn } : { floor: V2.endTxn }
    return this.#coordinate(what, async (connection) => {
      const answer = await connection.request(EndTxn, { ...this.#who(), committed }, range).catch((error: unknown) => {
        if (isUnanswered(error)) onUnanswered()
        throw error
      })
      // The coordinator says these too when its decision may be in the log although writing it failed.
      if (UNDECIDED.has(answer.errorCode)) onUnanswered()
      if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what)
      if (answer.producerId >= 0) this.#identity = { id: answer.producerId, epoch: answer.producerEpoch }
    })
  }

  async #initProducerId(what: string, current: ProducerIdentity): Promise<void> {
    const { transactionalId, transactionTimeoutMs, transactionVersionMax } = this.#options
    await this.#serially(() =>
      this.#coordinate(what, async (connection) => {
        const bumps = connection.versions.supports(InitProducerId, 3)
        const answer = await connection.request(InitProducerId, {
          transactionalId,
          transactionTimeoutMs,
          ...(bumps ? { producerId: current.id, producerEpoch: current.epoch } : {}),
        })
        if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what)
        this.#identity = { id: answer.producerId, epoch: answer.producerEpoch }
        const { versions } = connection
        const implicit = versions.feature("transaction.version") >= 2 && versions.supports(EndTxn, V2.endTxn)
        this.#protocol = implicit && transactionVersionMax === 2 ? 2 : 1
      }),
    ).catch((error: unknown) => {
      const classified = this.#classified(error, what)
      if (classified instanceof ProducerFenced || classified instanceof ProducerFatal) this.state.fatal(classified)
      throw classified
    })
  }

  /** Takes the failure into the state: fatal ones end the producer, others the transaction. */
  fail(error: unknown, sequenceLost: boolean): void {
    if (error instanceof ProducerFenced || error instanceof ProducerFatal) this.state.fatal(error)
    else this.state.fail(error, sequenceLost)
  }

  #who() {
    const { id, epoch } = this.#identity
    return { transactionalId: this.#options.transactionalId, producerId: id, producerEpoch: epoch }
  }

  /** A request that opens a transaction got no answer. */
  readonly #unsure = (error: unknown): never => {
    if (isUnanswered(error)) this.state.maybeStarted()
    throw error
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => {})
    return result
  }

  /** Asks a coordinator until it answers with something final or the time is up. */
  #coordinate(
    what: string,
    attempt: (connection: BrokerConnection) => Promise<void>,
    who: { readonly type: CoordinatorType; readonly key: string } = {
      type: CoordinatorType.transaction,
      key: this.#options.transactionalId,
    },
  ): Promise<void> {
    const cluster = this.#cluster
    const options = { what, timeoutMs: this.#options.transactionRequestTimeoutMs }
    const deadline = cluster.env.clock.monotonic() + options.timeoutMs
    return retrying(cluster.env, options, async () => {
      for (;;) {
        try {
          return await attempt(await cluster.coordinator(who.type, who.key))
        } catch (error) {
          cluster.coordinatorFault(who.type, who.key, error)
          const concurrent = error instanceof KafkaError && error.code === ErrorCode.CONCURRENT_TRANSACTIONS
          if (!concurrent || cluster.env.clock.monotonic() > deadline) throw error
          await sleep(cluster.env.clock, CONCURRENT_BACKOFF_MS)
        }
      }
    })
  }

  #classified(error: unknown, what: string): unknown {
    const id = this.#options.transactionalId
    if (error instanceof ProducerFenced || error instanceof ProducerFatal) return error
    if (!(error instanceof KafkaError)) {
      const version = error instanceof Error && error.name === "UnsupportedVersionError"
      return version ? new ProducerFatal(`${what}: ${message(error)}`, { cause: error }) : error
    }
    if (FENCING.has(error.code)) {
      return new ProducerFenced(`transactional id ${id}: another producer took over: ${error.message}`, {
        cause: error,
      })
    }
    if (FATAL.has(error.code)) return new ProducerFatal(`transactional id ${id}: ${error.message}`, { cause: error })
    if (MEMBERSHIP.has(error.code)) return new CommitFailed(`${what}: ${error.message}`, { cause: error })
    return error
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

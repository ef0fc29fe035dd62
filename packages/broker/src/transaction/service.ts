/**
 * The transaction coordinator's shell: finds the partition of each transactional id, hands requests to its shard, and
 * carries markers from decisions to logs. No decision about transactions is made here.
 */
import type { Clock } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import type { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from "@millrace/protocol/messages/add-offsets-to-txn"
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponse,
} from "@millrace/protocol/messages/add-partitions-to-txn"
import type {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from "@millrace/protocol/messages/describe-transactions"
import type { EndTxnRequest, EndTxnResponse } from "@millrace/protocol/messages/end-txn"
import type { InitProducerIdRequest, InitProducerIdResponse } from "@millrace/protocol/messages/init-producer-id"
import type { ListTransactionsRequest, ListTransactionsResponse } from "@millrace/protocol/messages/list-transactions"
import type { CoordinatorLog } from "../coordinator/log.ts"
import { CONSUMER_OFFSETS_TOPIC } from "../controller/topic-names.ts"
import { Re2Patterns } from "../coordinator/patterns.ts"
import { CoordinatorRuntime } from "../coordinator/runtime.ts"
import type { Token } from "../coordinator/shard.ts"
import type {
  MarkerWriter,
  ProducerIdBlocks,
  TransactionCoordinator,
  TransactionRequestContext,
} from "./coordinator.ts"
import { addResults, batchedAdd, clientAdd, partitionsOf } from "./add-partitions-versions.ts"
import { fencedError } from "./fencing.ts"
import { initAnswer, initRefusal } from "./init-producer-id.ts"
import { MarkerSender } from "./marker-sender.ts"
import { ProducerIds } from "./producer-ids.ts"
import type { TransactionRecord } from "./records.ts"
import { refuseTransactionRequest } from "./refusal.ts"
import type {
  AddRequest,
  ListRequest,
  MarkersSend,
  PartitionResults,
  TransactionRequest,
  TransactionTimeout,
} from "./requests.ts"
import type { TransactionCoordinatorConfig } from "./shard-state.ts"
import { TransactionShard } from "./shard.ts"
import { transactionStates } from "./state.ts"

export interface TransactionCoordinatorOptions {
  readonly log: CoordinatorLog
  readonly clock: Clock
  readonly config: TransactionCoordinatorConfig & { readonly "offsets.commit.timeout.ms": number }
  readonly markers: MarkerWriter
  readonly producerIds: ProducerIdBlocks
  /** The finalized level of the feature `transaction.version` as it is now; 1 unless told otherwise. */
  transactionVersion?(): number
  /** A group's partition of `__consumer_offsets`; undefined while the topic is absent. */
  groupPartition(groupId: string): number | undefined
  /** A partition of `__transaction_state` cannot be replayed. */
  fault(partition: number, error: unknown): void
  /** A decision about transactions threw. It was taken back, and its request answered. */
  defect(partition: number, error: unknown): void
}

/** AddPartitionsToTxn carries many transactions, from broker to broker, from this version on. */
const batchedFrom = 4
const fencedAddOffsetsFrom = 2

export class TransactionCoordinatorService implements TransactionCoordinator {
  readonly #runtime: CoordinatorRuntime<TransactionRequest, TransactionRecord, TransactionTimeout, MarkersSend>
  readonly #markers: MarkerSender
  readonly #producerIds: ProducerIds
  readonly #patterns = new Re2Patterns()
  readonly #groupPartition: (groupId: string) => number | undefined

  constructor(options: TransactionCoordinatorOptions) {
    const {
      log,
      clock,
      config,
      markers,
      producerIds,
      transactionVersion = () => 1,
      groupPartition,
      fault,
      defect,
    } = options
    this.#groupPartition = groupPartition
    this.#producerIds = new ProducerIds(producerIds)
    this.#runtime = new CoordinatorRuntime({
      log,
      clock,
      commitTimeoutMs: config["offsets.commit.timeout.ms"],
      createShard: () => new TransactionShard(config, transactionVersion, this.#producerIds),
      refuse: refuseTransactionRequest,
      send: (partition, send) => this.#markers.send(partition, send),
      fault,
      defect,
    })
    this.#markers = new MarkerSender({
      clock,
      writer: markers,
      report: (partition, { transactionalId, producerId, producerEpoch }) =>
        this.#runtime.request<ErrorCode>(partition, (token) => ({
          kind: "markers-written",
          token,
          transactionalId,
          producerId,
          producerEpoch,
        })),
    })
  }

  partitionFor(transactionalId: string): number | undefined {
    return this.#runtime.partitionFor(transactionalId)
  }

  async initProducerId(
    context: TransactionRequestContext,
    request: InitProducerIdRequest,
  ): Promise<InitProducerIdResponse> {
    await this.#producerIds.ready()
    const { transactionalId } = request
    if (transactionalId !== null) {
      return this.#ask(transactionalId, (token) => ({
        kind: "init-producer-id",
        token,
        context,
        request: { ...request, transactionalId },
      }))
    }
    const producerId = this.#producerIds.take()
    return producerId === undefined ? initRefusal(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) : initAnswer(producerId, 0)
  }

  async addPartitionsToTxn(
    context: TransactionRequestContext,
    request: AddPartitionsToTxnRequest,
  ): Promise<AddPartitionsToTxnResponse> {
    const { apiVersion } = context
    const answer = { throttleTimeMs: 0, errorCode: ErrorCode.NONE }
    if (apiVersion < batchedFrom) {
      const results = await this.#add(clientAdd(request))
      const resultsByTopicV3AndBelow = addResults(request.v3AndBelowTopics, results, apiVersion)
      return { ...answer, resultsByTransaction: [], resultsByTopicV3AndBelow }
    }
    const resultsByTransaction = await Promise.all(
      request.transactions.map(async (transaction) => ({
        transactionalId: transaction.transactionalId,
        topicResults: addResults(transaction.topics, await this.#add(batchedAdd(transaction)), apiVersion),
      })),
    )
    return { ...answer, resultsByTransaction, resultsByTopicV3AndBelow: [] }
  }

  async addOffsetsToTxn(
    context: TransactionRequestContext,
    request: AddOffsetsToTxnRequest,
  ): Promise<AddOffsetsToTxnResponse> {
    const { transactionalId, producerId, producerEpoch, groupId } = request
    const topic = CONSUMER_OFFSETS_TOPIC
    const partition = this.#groupPartition(groupId)
    if (partition === undefined) return { throttleTimeMs: 0, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE }
    const partitions = partitionsOf([{ name: topic, partitions: [partition] }])
    const results = await this.#add({
      kind: "add-partitions",
      transactionalId,
      producerId,
      producerEpoch,
      partitions,
      clientTransactionVersion: 0,
    })
    const errorCode = fencedError(results.error(topic, partition), context.apiVersion, fencedAddOffsetsFrom)
    return { throttleTimeMs: 0, errorCode }
  }

  async endTxn(context: TransactionRequestContext, request: EndTxnRequest): Promise<EndTxnResponse> {
    await this.#producerIds.ready()
    return this.#ask(request.transactionalId, (token) => ({ kind: "end-txn", token, context, request }))
  }

  async describeTransactions(
    _context: TransactionRequestContext,
    request: DescribeTransactionsRequest,
  ): Promise<DescribeTransactionsResponse> {
    const rows = await Promise.all(
      request.transactionalIds.map((transactionalId) =>
        this.#ask<DescribeTransactionsResponse["transactionStates"]>(transactionalId, (token) => ({
          kind: "describe",
          token,
          transactionalIds: [transactionalId],
        })),
      ),
    )
    return { throttleTimeMs: 0, transactionStates: rows.flat() }
  }

  async listTransactions(
    _context: TransactionRequestContext,
    request: ListTransactionsRequest,
  ): Promise<ListTransactionsResponse> {
    const empty = { throttleTimeMs: 0, unknownStateFilters: [], transactionStates: [] }
    const { transactionalIdPattern: pattern } = request
    if (pattern) {
      await this.#patterns.load()
      if (this.#patterns.fault(pattern) !== undefined) {
        return { ...empty, errorCode: ErrorCode.INVALID_REGULAR_EXPRESSION }
      }
    }
    const matches = pattern ? this.#patterns.matcher(pattern) : undefined
    const unknownStateFilters = request.stateFilters.filter(
      (state) => !transactionStates.some((name) => name === state),
    )
    const parts = await Promise.all(
      this.#runtime.partitions().map((partition) =>
        this.#runtime.request<TokenAnswer<ListRequest["token"]>>(partition, (token) => ({
          kind: "list",
          token,
          request,
          matches,
        })),
      ),
    )
    const failed = parts.find(({ error }) => error !== ErrorCode.NONE && error !== ErrorCode.NOT_COORDINATOR)
    if (failed !== undefined) return { ...empty, unknownStateFilters, errorCode: failed.error }
    const transactionStatesFound = parts.flatMap(({ states }) => states)
    return { ...empty, unknownStateFilters, errorCode: ErrorCode.NONE, transactionStates: transactionStatesFound }
  }

  onElection(partition: number, leaderEpoch: number): void {
    this.#markers.lead(partition, leaderEpoch)
    this.#runtime.onElection(partition, leaderEpoch)
  }

  onResignation(partition: number): void {
    this.#markers.resign(partition)
    this.#runtime.onResignation(partition)
  }

  onHighWatermark(partition: number, highWatermark: number): void {
    this.#runtime.onHighWatermark(partition, highWatermark)
  }

  close(): void {
    this.#markers.close()
    this.#runtime.close()
  }

  #add(add: Omit<AddRequest, "token">): Promise<PartitionResults> {
    return this.#ask<PartitionResults>(add.transactionalId, (token) => ({ ...add, token }))
  }

  #ask<Response>(transactionalId: string, make: (token: Token<Response>) => TransactionRequest): Promise<Response> {
    return this.#runtime.request<Response>(this.partitionFor(transactionalId), make)
  }
}

type TokenAnswer<T> = T extends Token<infer Response> ? Response : never

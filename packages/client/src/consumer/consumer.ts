/**
 * The consumer: a group member or a reader of partitions assigned by hand.
 *
 * `poll` answers batches of records as they came off the wire. Everything that concerns the group happens inside it:
 * callbacks run there and are awaited, and what `groupMetadata` answers is as of the last poll (KIP-447).
 */
import { sleep } from "@millrace/host"
import { ErrorCode, KafkaError } from "@millrace/protocol"
import type { Cluster } from "../cluster.ts"
import { ClosedError, CommitFailed, IllegalStateError } from "../errors.ts"
import type { TopicPartition } from "../group/assignor.ts"
import { Group } from "../group/group.ts"
import type { Member } from "../group/member.ts"
import { StreamsGroup } from "../group/streams/streams-group.ts"
import type { GroupMetadata, TopicPartitionOffset } from "../producer/transactions.ts"
import { Signal, untilDeadline } from "../signal.ts"
import { type CommittedOffset, commitOffsets, fetchCommitted } from "./committed.ts"
import { type ConsumerRecord, type FetchedPartition, recordsOf } from "./fetched.ts"
import { ConsumerFigures, consumerResource } from "./figures.ts"
import { Fetcher } from "./fetcher.ts"
import { type ListedOffset, listOffsets, type OffsetQuery, OffsetSpec } from "./list-offsets.ts"
import type { TelemetrySource } from "../telemetry/metric.ts"
import { type ConsumerOptions, type ResolvedConsumerOptions, resolveConsumerOptions } from "./options.ts"
import { PartitionState, type ReadableEnd } from "./partition-state.ts"
import { findPositions } from "./positions.ts"
import type { RebalanceListener } from "./rebalance-listener.ts"
import { takeInTurns } from "./turns.ts"

const keyOf = (topic: string, partition: number): string => `${topic}-${partition}`
/** What an iteration over records waits for at a time. */
const ITERATION_POLL_MS = 1_000
/** How often a poll that waits looks whether metadata has aged. */
const HOUSEKEEPING_MS = 1_000
/** A loop over polls that always have data lets timers and sockets in this often. */
const YIELD_EVERY_MS = 50

export class Consumer {
  readonly #cluster: Cluster
  readonly #options: ResolvedConsumerOptions
  readonly #fetcher: Fetcher
  readonly #signal = new Signal()
  readonly #aborter = new AbortController()
  #states = new Map<string, PartitionState>()
  #order: PartitionState[] = []
  #turn = 0
  #group: Member | undefined
  #listener: RebalanceListener = {}
  #finding: Promise<void> | undefined
  #groupMetadata: GroupMetadata | undefined
  #committedAt = 0
  #yieldedAt = 0
  #polling = false
  #closed = false
  readonly #figures = new ConsumerFigures()

  constructor(cluster: Cluster, options: ConsumerOptions = {}) {
    this.#cluster = cluster
    this.#options = resolveConsumerOptions(options)
    const readCommitted = this.#options.isolation === "read_committed"
    this.#fetcher = new Fetcher(cluster, { ...this.#options, readCommitted }, () => this.#signal.notify())
    cluster.telemetry?.describe(consumerResource(this.#options, cluster.env.clientRack))
    this.reportMetrics(() => this.#figures.metrics(this.#order.length))
  }

  /** Further figures to push where the cluster asks for them (KIP-714, KIP-1076), under the instance id of this client. */
  reportMetrics(source: TelemetrySource): void {
    this.#cluster.telemetry?.add(source)
  }

  /** Joins the group for these topics; takes effect in `poll`. */
  subscribe(topics: readonly string[], listener: RebalanceListener = {}): void {
    this.#requireOpen()
    const { groupId } = this.#options
    if (groupId === undefined) throw new IllegalStateError("subscribe: the consumer has no groupId")
    if (this.#group === undefined && this.#order.length > 0) {
      throw new IllegalStateError("subscribe: partitions are assigned by hand already")
    }
    this.#listener = listener
    this.#cluster.track(topics)
    this.#group ??= this.#member(groupId)
    this.#group.subscribe(topics)
  }

  #member(groupId: string): Member {
    const hooks = {
      changed: () => this.#signal.notify(),
      revoked: (partitions: readonly TopicPartition[]) => this.#revoked(partitions),
      lost: (partitions: readonly TopicPartition[]) => this.#lost(partitions),
      assigned: (added: readonly TopicPartition[], all: readonly TopicPartition[]) => this.#assigned(added, all),
    }
    const { streams } = this.#options
    if (streams === undefined) return new Group(this.#cluster, { ...this.#options, groupId }, hooks)
    return new StreamsGroup(this.#cluster, { ...this.#options, groupId, streams }, hooks)
  }

  /** Reads exactly these partitions, without the group's help. Positions of those that stay are kept. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#requireOpen()
    if (this.#group) throw new IllegalStateError("assign: the consumer subscribed")
    this.#setPartitions(partitions)
  }

  assignment(): TopicPartition[] {
    return this.#order.map(({ topic, partition }) => ({ topic, partition }))
  }

  /**
   * Data of one or more partitions; an empty array when there is none within `timeoutMs`. An entry without batches moves
   * the position only (over markers and aborted records).
   */
  async poll(timeoutMs: number): Promise<FetchedPartition[]> {
    this.#requireOpen()
    if (this.#polling) throw new IllegalStateError("poll: another poll is not finished")
    this.#polling = true
    this.#group?.polls.begins()
    try {
      const { clock } = this.#cluster.env
      const deadline = clock.monotonic() + timeoutMs
      for (;;) {
        const fetched = await this.#pollOnce(deadline)
        const now = clock.monotonic()
        if (fetched.length > 0) {
          if (now - this.#yieldedAt >= YIELD_EVERY_MS) {
            await sleep(clock, 0)
            this.#yieldedAt = clock.monotonic()
          }
          return fetched
        }
        this.#yieldedAt = now
        if (now >= deadline || this.#closed) return fetched
        await this.#signal.wait(clock, Math.min(deadline, now + HOUSEKEEPING_MS))
      }
    } finally {
      this.#polling = false
      this.#group?.polls.ends()
    }
  }

  /** One record after another, without end. With `autoCommit` positions are committed behind yielded polls. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConsumerRecord, void, undefined> {
    while (!this.#closed) for (const fetched of await this.poll(ITERATION_POLL_MS)) yield* recordsOf(fetched)
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#state(topic, partition).paused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) this.#state(topic, partition).paused = false
    this.#fetcher.pump()
    this.#signal.notify()
  }

  paused(): TopicPartition[] {
    return this.#order.filter((state) => state.paused).map(({ topic, partition }) => ({ topic, partition }))
  }

  /** The next poll begins there; what was fetched ahead is dropped. */
  seek({ topic, partition }: TopicPartition, offset: number, leaderEpoch = -1): void {
    this.#state(topic, partition).seek(offset, leaderEpoch)
    this.#fetcher.pump()
  }

  /** Offset of the next record that `poll` will answer; undefined until it was looked up. */
  position({ topic, partition }: TopicPartition): number | undefined {
    return this.#state(topic, partition).position
  }

  /**
   * When the partition was last seen to have nothing beyond what `poll` has answered by now, by the wall clock; undefined
   * while there is something to answer, or nobody looked since the last seek.
   */
  endSeenAt({ topic, partition }: TopicPartition): number | undefined {
    const state = this.#states.get(keyOf(topic, partition))
    return state === undefined || state.hasBuffered ? undefined : state.endSeenAt
  }

  /** Up to where the partition could be read by the last answer to a fetch; undefined before the first, and since a seek. */
  readableEnd({ topic, partition }: TopicPartition): ReadableEnd | undefined {
    return this.#states.get(keyOf(topic, partition))?.readableEnd
  }

  /** Commits these offsets (of the next record to read), default all positions. Rejects with `CommitFailed`. */
  async commit(offsets: readonly TopicPartitionOffset[] = this.#positions()): Promise<void> {
    if (this.#options.groupId === undefined) throw new IllegalStateError("commit: the consumer has no groupId")
    if (offsets.length === 0) return
    const group = this.#group?.metadata() ?? this.groupMetadata()
    if (this.#group && group.generationId < 0) throw new CommitFailed("commit: the consumer is not in its group now")
    try {
      await commitOffsets(this.#cluster, group, offsets)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#group?.committed(error.code, group.generationId)
      throw COMMIT_FAILURES.has(error.code) ? new CommitFailed(error.message, { cause: error }) : error
    }
  }

  committed(
    partitions: readonly TopicPartition[],
    options: { readonly requireStable?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<CommittedOffset[]> {
    const { groupId, isolation } = this.#options
    if (groupId === undefined) throw new IllegalStateError("committed: the consumer has no groupId")
    const requireStable = options.requireStable ?? isolation === "read_committed"
    return fetchCommitted(this.#cluster, groupId, partitions, { ...options, requireStable })
  }

  beginningOffsets(partitions: readonly TopicPartition[]): Promise<ListedOffset[]> {
    return this.#list(partitions.map((partition) => ({ ...partition, timestamp: OffsetSpec.earliest })))
  }

  /** Ends as `isolation` sees them: the last stable offset under read_committed. */
  endOffsets(
    partitions: readonly TopicPartition[],
    options: { readonly isolation?: "read_committed" | "read_uncommitted" } = {},
  ): Promise<ListedOffset[]> {
    return this.#list(
      partitions.map((partition) => ({ ...partition, timestamp: OffsetSpec.latest })),
      options.isolation,
    )
  }

  /** The first offset at or after each time; -1 where there is none. */
  offsetsForTimes(queries: readonly OffsetQuery[]): Promise<ListedOffset[]> {
    return this.#list(queries)
  }

  /** Who this member is, as of the last poll: for `sendOffsetsToTransaction`. */
  groupMetadata(): GroupMetadata {
    const { groupId, groupInstanceId } = this.#options
    if (groupId === undefined) throw new IllegalStateError("groupMetadata: the consumer has no groupId")
    return this.#groupMetadata ?? { groupId, groupInstanceId, generationId: -1, memberId: "" }
  }

  /** Joins anew at the next poll, so that the leader assigns again: what strategies see has changed. */
  enforceRebalance(reason: string): void {
    if (!this.#group) throw new IllegalStateError("enforceRebalance: the consumer did not subscribe")
    this.#group.enforceRebalance(reason)
  }

  /** Another process may have this member's id: it loses everything with the next poll, and joins again as another. */
  startOver(): void {
    this.#group?.startOver?.()
  }

  /** Asks all members of a streams group to stop: a status tells them (KIP-1071). Classic groups know no such thing. */
  requestShutdown(): void {
    this.#group?.requestShutdown?.()
  }

  /**
   * Gives partitions up (`onRevoked` is awaited), leaves the group and closes connections. `leaveGroup` overrules
   * `leaveOnClose`: who does not leave is a member until its session ends (KIP-1092).
   */
  async close({ leaveGroup = this.#options.leaveOnClose }: { readonly leaveGroup?: boolean } = {}): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#signal.notify()
    try {
      await this.#group?.close(leaveGroup)
      if (!this.#group && this.#options.autoCommit) await this.commit()
    } finally {
      this.#aborter.abort(new ClosedError("the consumer was closed"))
      this.#fetcher.close()
      await this.#cluster.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #pollOnce(deadline: number): Promise<FetchedPartition[]> {
    if (this.#cluster.isStale) this.#cluster.refreshSoon()
    if (this.#group) {
      if (!this.#group.isSettled && !(await this.#group.advance(deadline))) return []
      this.#groupMetadata = this.#group.metadata()
    }
    await this.#autoCommit()
    await this.#findPositions(deadline)
    const failure = this.#fetcher.takeFailure()
    if (failure !== undefined) throw failure
    this.#fetcher.pump()
    const fetched = this.#take()
    if (fetched.length > 0) this.#fetcher.pump()
    return fetched
  }

  #take(): FetchedPartition[] {
    const { maxPollRecords: records, maxPollBytes: bytes } = this.#options
    const fetched = takeInTurns(this.#order, this.#turn++, { records, bytes })
    for (const part of fetched) this.#figures.consumed(part)
    return fetched
  }

  async #findPositions(deadline: number): Promise<void> {
    const lacking = this.#order.filter((state) => state.position === undefined || state.isOutOfRange)
    if (lacking.length === 0) return
    this.#finding ??= findPositions(this.#cluster, this.#options, lacking, this.#aborter.signal).finally(() => {
      this.#finding = undefined
      this.#signal.notify()
    })
    this.#finding.catch(() => {})
    await untilDeadline(this.#cluster.env.clock, this.#finding, deadline)
  }

  async #autoCommit(): Promise<void> {
    const { autoCommit, autoCommitIntervalMs } = this.#options
    const now = this.#cluster.env.clock.monotonic()
    if (!autoCommit || now - this.#committedAt < autoCommitIntervalMs) return
    this.#committedAt = now
    // A failed one shows at the next interval; a rebalance is dealt with by the poll itself.
    await this.commit().catch(() => {})
  }

  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    // Under the cooperative protocol this runs in the new generation already, and commits must say so.
    this.#groupMetadata = this.#group!.metadata()
    if (this.#options.autoCommit) await this.commit(this.#positions(partitions)).catch(() => {})
    try {
      await this.#listener.onRevoked?.(partitions)
    } finally {
      this.#remove(partitions)
    }
  }

  async #lost(partitions: readonly TopicPartition[]): Promise<void> {
    const { onLost, onRevoked } = this.#listener
    try {
      await (onLost ?? onRevoked)?.call(this.#listener, partitions)
    } finally {
      this.#remove(partitions)
    }
  }

  async #assigned(added: readonly TopicPartition[], all: readonly TopicPartition[]): Promise<void> {
    this.#setPartitions(all)
    this.#groupMetadata = this.#group!.metadata()
    await this.#listener.onAssigned?.(added)
  }

  #remove(partitions: readonly TopicPartition[]): void {
    const gone = new Set(partitions.map(({ topic, partition }) => keyOf(topic, partition)))
    this.#setPartitions(this.#order.filter(({ topic, partition }) => !gone.has(keyOf(topic, partition))))
  }

  #setPartitions(partitions: readonly TopicPartition[]): void {
    const before = this.#states
    const options = { readCommitted: this.#options.isolation === "read_committed", checkCrcs: this.#options.checkCrcs }
    this.#states = new Map()
    for (const { topic, partition } of partitions) {
      const key = keyOf(topic, partition)
      this.#states.set(key, before.get(key) ?? new PartitionState(topic, partition, options))
    }
    // Answers that are still on their way for partitions that went must not be taken.
    for (const [key, state] of before) if (!this.#states.has(key)) state.stamp++
    this.#order = [...this.#states.values()]
    this.#cluster.track(partitions.map(({ topic }) => topic))
    this.#fetcher.assign(this.#order)
  }

  #positions(of: readonly TopicPartition[] = this.#order): TopicPartitionOffset[] {
    const offsets: TopicPartitionOffset[] = []
    for (const { topic, partition } of of) {
      const state = this.#states.get(keyOf(topic, partition))
      if (state?.position === undefined) continue
      offsets.push({ topic, partition, offset: state.position, leaderEpoch: state.leaderEpoch })
    }
    return offsets
  }

  #list(queries: readonly OffsetQuery[], isolation = this.#options.isolation): Promise<ListedOffset[]> {
    return listOffsets(this.#cluster, queries, {
      readCommitted: isolation === "read_committed",
      signal: this.#aborter.signal,
    })
  }

  #state(topic: string, partition: number): PartitionState {
    const state = this.#states.get(keyOf(topic, partition))
    if (!state) throw new IllegalStateError(`${topic}-${partition} is not assigned to this consumer`)
    return state
  }

  #requireOpen(): void {
    if (this.#closed) throw new ClosedError("the consumer is closed")
  }
}

const COMMIT_FAILURES: ReadonlySet<number> = new Set([
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.STALE_MEMBER_EPOCH,
])

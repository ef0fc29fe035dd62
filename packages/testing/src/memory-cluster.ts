/**
 * A cluster in memory behind the runtime's ports: topics, committed offsets, and one transactional writer at a time.
 *
 * A writer can be told to die, or to fail, at every step of a commit. What a dead writer left open stays open until its
 * successor's `recover`, as the transaction of a killed process stays open until InitProducerId.
 */
import { CommitOutcomeUnknown, TransactionAbortable } from "@millrace/client/errors"
import { partitionForKey } from "@millrace/client/producer/murmur2"
import type { Headers } from "@millrace/streams/dsl/record"
import {
  type ClusterReader,
  type CommittedOffset,
  partitionName,
  type RecordSink,
  type TopicPartition,
  type TransactionalOutput,
} from "@millrace/streams/run/ports"
import type { CommittableOffset } from "@millrace/streams/task/task"
import { EntryCursor, MemoryLog, MemoryTransaction } from "./memory-log.ts"

/** Where in a commit a fault strikes. */
export const COMMIT_STEPS = [
  /** Before anything of the commit reached the cluster. */
  "flush",
  /** Records are acknowledged, offsets are not sent. */
  "offsets",
  /** Offsets are sent, the commit is not. */
  "commit",
  /** The cluster has committed, the worker does not know. */
  "committed",
] as const

export type CommitStep = (typeof COMMIT_STEPS)[number]

export const FAULT_KINDS = [
  /** The process is gone. */
  "crash",
  /** The call fails and the transaction must be aborted, or its outcome is unknown. */
  "fail",
  /** The tasks have gone to another worker, which has no state of theirs: this one is fenced. */
  "move",
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** The worker died at a commit step, or lost its tasks there. */
export class InjectedCrash extends Error {
  override readonly name = "InjectedCrash"
  readonly kind: "crash" | "move"

  constructor(kind: "crash" | "move", message: string) {
    super(message)
    this.kind = kind
  }
}

export class MemoryCluster implements ClusterReader {
  readonly #topics = new Map<string, MemoryLog[]>()
  readonly #committed = new Map<string, CommittedOffset>()

  createTopic(topic: string, partitions: number): void {
    if (this.#topics.has(topic)) return
    this.#topics.set(
      topic,
      Array.from({ length: partitions }, () => new MemoryLog()),
    )
  }

  get topics(): Iterable<string> {
    return this.#topics.keys()
  }

  logs(topic: string): readonly MemoryLog[] {
    const logs = this.#topics.get(topic)
    if (logs === undefined)
      throw new Error(`topic "${topic}" is not part of this test: name it with { partitions: { "${topic}": 1 } }`)
    return logs
  }

  log({ topic, partition }: TopicPartition): MemoryLog {
    const log = this.logs(topic)[partition]
    if (log === undefined) throw new Error(`topic "${topic}" has no partition ${partition}`)
    return log
  }

  commitOffsets(offsets: readonly CommittableOffset[]): void {
    for (const offset of offsets) this.#committed.set(partitionName(offset), offset)
  }

  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, CommittedOffset>> {
    const found = new Map<string, CommittedOffset>()
    for (const name of partitions.map(partitionName)) {
      const offset = this.#committed.get(name)
      if (offset) found.set(name, offset)
    }
    return found
  }

  async beginningOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return new Map(partitions.map((partition) => [partitionName(partition), 0]))
  }

  async endOffsets(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return new Map(partitions.map((partition) => [partitionName(partition), this.log(partition).endOffset]))
  }

  async topicId(topic: string): Promise<string> {
    return `id-of-${topic}`
  }

  async read(
    partition: TopicPartition,
    from: number,
    end: number,
    sink: RecordSink,
    onPosition?: (position: number) => Promise<void>,
  ): Promise<number> {
    const cursor = new EntryCursor(this.log(partition).committed(from, end))
    while (cursor.next()) sink(cursor)
    await onPosition?.(end)
    return end
  }
}

export class MemoryOutput implements TransactionalOutput {
  readonly #cluster: MemoryCluster
  #transaction: MemoryTransaction | undefined
  #offsets: readonly CommittableOffset[] = []
  #fault: { readonly step: CommitStep; readonly kind: FaultKind } | undefined
  #isDead = false

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster
  }

  /** Strikes once, the next time that the step is reached. */
  inject(step: CommitStep, kind: FaultKind): void {
    this.#fault = { step, kind }
  }

  /** The process is gone: what it left open stays so. */
  die(): MemoryTransaction | undefined {
    this.#isDead = true
    return this.#transaction
  }

  /** Takes over what a dead writer left open. */
  inherit(transaction: MemoryTransaction | undefined): void {
    this.#transaction = transaction
  }

  append(
    topic: string,
    partition: number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: Headers = [],
  ): void {
    if (this.#isDead) throw new InjectedCrash("crash", "a dead worker writes")
    this.#transaction ??= new MemoryTransaction()
    const count = this.partitionCount(topic)
    const chosen = partition >= 0 ? partition : key === null ? 0 : partitionForKey(key, count)
    const copy = (bytes: Uint8Array | null) => bytes && Uint8Array.from(bytes)
    this.#cluster
      .log({ topic, partition: chosen })
      .append(timestamp, copy(key), copy(value), headers, this.#transaction)
  }

  partitionCount(topic: string): number {
    return this.#cluster.logs(topic).length
  }

  async waitForSpace(): Promise<void> {}

  async flush(): Promise<void> {
    this.#strike("flush")
  }

  async sendOffsets(offsets: readonly CommittableOffset[]): Promise<void> {
    this.#strike("offsets")
    this.#offsets = offsets
  }

  async commit(): Promise<void> {
    const before = this.#take("commit")
    if (before === "crash" || before === "move") throw new InjectedCrash(before, `${before} before the commit`)
    if (before === "fail") throw new CommitOutcomeUnknown("the commit was sent and not answered; it did not arrive")
    this.#end("committed")
    const after = this.#take("committed")
    if (after === "crash" || after === "move") throw new InjectedCrash(after, `${after} after the commit`)
    if (after === "fail") throw new CommitOutcomeUnknown("the commit was sent and not answered; it did arrive")
  }

  async abort(): Promise<void> {
    this.#end("aborted")
  }

  async recover(): Promise<void> {
    this.#end("aborted")
  }

  #end(state: "committed" | "aborted"): void {
    this.#transaction?.end(state)
    this.#transaction = undefined
    if (state === "committed") this.#cluster.commitOffsets(this.#offsets)
    this.#offsets = []
  }

  #take(step: CommitStep): FaultKind | undefined {
    if (this.#fault?.step !== step) return undefined
    const { kind } = this.#fault
    this.#fault = undefined
    return kind
  }

  #strike(step: CommitStep): void {
    const kind = this.#take(step)
    if (kind === "crash" || kind === "move") throw new InjectedCrash(kind, `${kind} at ${step}`)
    if (kind === "fail") throw new TransactionAbortable(`failed at ${step}, as the test asked`)
  }
}

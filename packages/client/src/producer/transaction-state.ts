/**
 * The states of a transactional producer (KIP-98, KIP-360, KIP-890), and which partitions its transaction has. Pure.
 *
 *   uninitialized -> ready -> open -> committing -> ready
 *                              |   \-> aborting  -> ready
 *                              v          ^
 *                          abortable -----'          any -> fatal      committing, aborting -> unknown -> ready
 *
 * Invariants: a partition is produced to only after the coordinator has it; partitions that come while others are being
 * added wait for the next request and are never forgotten; after `unknown` only a new initialisation leads on.
 */
import { IllegalStateError, ProducerFatal, ProducerFenced, TransactionAbortable } from "../errors.ts"

export type TransactionPhase =
  | "uninitialized"
  | "ready"
  | "open"
  | "committing"
  | "aborting"
  | "abortable"
  | "unknown"
  | "fatal"

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: number[]
}

type PartitionSet = Map<string, Set<number>>

const has = (set: PartitionSet, topic: string, partition: number): boolean => set.get(topic)?.has(partition) ?? false

function put(set: PartitionSet, topic: string, partition: number): void {
  const partitions = set.get(topic)
  if (partitions) partitions.add(partition)
  else set.set(topic, new Set([partition]))
}

export class TransactionState {
  #phase: TransactionPhase = "uninitialized"
  #error: unknown
  readonly #waiting: PartitionSet = new Map()
  readonly #adding: PartitionSet = new Map()
  readonly #added: PartitionSet = new Map()
  /** The coordinator has (or may have) a transaction to end. */
  #started = false
  #confirmed = false
  #bumpRequired = false

  get phase(): TransactionPhase {
    return this.#phase
  }
  /** Why it is abortable or fatal. */
  get error(): unknown {
    return this.#error
  }
  get isStarted(): boolean {
    return this.#started
  }
  /** The coordinator said yes at least once. */
  get isConfirmed(): boolean {
    return this.#confirmed
  }
  /** A sequence was lost: after the abort the epoch must be bumped. */
  get bumpRequired(): boolean {
    return this.#bumpRequired
  }

  /** Throws unless records and offsets may be added. */
  requireOpen(what: string): void {
    if (this.#phase !== "open") this.#refuse(what, "beginTransaction must come first")
  }

  requireInitializable(): void {
    if (this.#phase !== "uninitialized" && this.#phase !== "unknown") {
      this.#refuse("initTransactions", "it is already initialised")
    }
  }

  initialized(): void {
    this.#clear("ready")
  }

  begin(): void {
    if (this.#phase !== "ready") {
      const hint = this.#phase === "uninitialized" ? "initTransactions must come first" : "a transaction is open"
      this.#refuse("beginTransaction", hint)
    }
    this.#clear("open")
  }

  /** Registers a partition; true once the coordinator has it. */
  admits(topic: string, partition: number): boolean {
    if (has(this.#added, topic, partition)) return true
    if (this.#phase === "open" && !has(this.#adding, topic, partition)) put(this.#waiting, topic, partition)
    return false
  }

  /** The partition takes part without being announced: the broker announces it (transaction protocol 2). */
  implicit(topic: string, partition: number): void {
    if (has(this.#added, topic, partition)) return
    put(this.#added, topic, partition)
    this.#started = true
    this.#confirmed = true
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0
  }

  /** What the next AddPartitionsToTxn carries. Answer with `partitionsAdded` or `partitionsRefused`. */
  takeWaiting(): TopicPartitions[] {
    for (const [topic, partitions] of this.#waiting)
      for (const partition of partitions) put(this.#adding, topic, partition)
    this.#waiting.clear()
    return [...this.#adding].map(([topic, partitions]) => ({ topic, partitions: [...partitions] }))
  }

  partitionsAdded(): void {
    for (const [topic, partitions] of this.#adding)
      for (const partition of partitions) put(this.#added, topic, partition)
    this.#adding.clear()
    this.#started = true
    this.#confirmed = true
  }

  partitionsRefused(): void {
    this.#adding.clear()
  }

  offsetsAdded(): void {
    this.#started = true
    this.#confirmed = true
  }

  /** A request that starts a transaction got no answer: it may have been carried out. */
  maybeStarted(): void {
    this.#started = true
  }

  /** Something of the open transaction failed. It can only be aborted now. */
  fail(error: unknown, sequenceLost: boolean): void {
    if (sequenceLost) this.#bumpRequired = true
    if (this.#phase !== "open" && this.#phase !== "committing") return
    this.#phase = "abortable"
    this.#error = error
  }

  fatal(error: unknown): void {
    if (this.#phase === "fatal") return
    this.#phase = "fatal"
    this.#error = error
  }

  startCommit(): void {
    this.requireOpen("commitTransaction")
    this.#phase = "committing"
  }

  startAbort(): void {
    if (this.#phase !== "open" && this.#phase !== "abortable")
      this.#refuse("abortTransaction", "no transaction is open")
    this.#phase = "aborting"
    this.#waiting.clear()
  }

  ended(): void {
    this.#clear("ready")
  }

  outcomeUnknown(): void {
    if (this.#phase !== "fatal") this.#phase = "unknown"
  }

  /** Throws when the transaction can only be aborted or not even that. */
  throwIfFailed(what: string): void {
    if (this.#phase === "abortable" || this.#phase === "fatal") this.#refuse(what, "")
  }

  #clear(phase: TransactionPhase): void {
    this.#phase = phase
    this.#error = undefined
    this.#waiting.clear()
    this.#adding.clear()
    this.#added.clear()
    this.#started = false
    this.#confirmed = false
    this.#bumpRequired = false
  }

  #refuse(what: string, hint: string): never {
    if (this.#phase === "fatal") {
      if (this.#error instanceof ProducerFenced) throw this.#error
      throw new ProducerFatal(`${what}: the producer failed earlier: ${text(this.#error)}`, { cause: this.#error })
    }
    if (this.#phase === "abortable") {
      throw new TransactionAbortable(`${what}: the transaction failed and must be aborted: ${text(this.#error)}`, {
        cause: this.#error,
      })
    }
    if (this.#phase === "unknown") {
      throw new IllegalStateError(`${what}: the last transaction's outcome is unknown; call initTransactions`)
    }
    throw new IllegalStateError(`${what} in state "${this.#phase}": ${hint}`)
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))

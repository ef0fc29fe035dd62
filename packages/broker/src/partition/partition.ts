/**
 * The leader's state of one replica.
 *
 *   log start <= last stable offset <= high watermark <= log end
 *
 * The high watermark is the smallest log end of the in-sync replicas, this one's counted as far as it was forced to the
 * device when `flush.messages` is 1. It only grows. Everything acknowledged with acks=all, all that consumers see and
 * all that coordinators answer lies below it: they wait here, also with one replica, where it follows the log end at
 * once. The log is opened at first use. A fault of the disk takes the replica offline until the broker restarts; a full one
 * refuses what needs room until there is some.
 */
import { type DiskError, isDiskFull } from "@millrace/host"
import { ErrorCode, errorMessage } from "@millrace/protocol"
import type { AppendOptions, AppendResult, Log } from "@millrace/storage"
import { faultCode } from "../faults.ts"
import { TransactionJoins } from "./transaction-joins.ts"
import { DataWaiters, type OffsetWaiter, OffsetWaiters } from "./waiters.ts"
import { reasonOf, type ServerEvent, type ServerLog } from "../server-log.ts"

export interface PartitionOptions {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly brokerId: number
  /** Opens, or creates, the log. May throw an operational fault. */
  readonly openLog: () => Log
  /** Whether there is a log on the disk. */
  readonly logExists: boolean
  readonly now: () => number
  /** min.insync.replicas */
  readonly minInsyncReplicas: () => number
  /** flush.messages */
  readonly flushMessages: () => number
  /** Said once when the disk fails. */
  readonly onFault: ServerLog
  readonly onHighWatermark?: ((highWatermark: number) => void) | undefined
}

/** The partition as the metadata has it. */
export interface Leadership {
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
}

export type PartitionAppend = AppendResult

export class Partition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly fetchWaiters = new DataWaiters()
  readonly joins = new TransactionJoins()
  readonly #options: PartitionOptions
  readonly #offsetWaiters = new OffsetWaiters()
  readonly #flushWaiters = new OffsetWaiters()
  readonly #followerEnds = new Map<number, number>()
  #leadership: Leadership
  #log: Log | undefined
  #highWatermark = 0
  /** Bytes appended that waiting readers have not been told of: they lie above the high watermark. */
  #bytesUntold = 0
  #flushing = false
  #offline = false
  /** The disk was full when something was last to be written. */
  #full = false
  #closed = false

  constructor(options: PartitionOptions, leadership: Leadership) {
    this.topic = options.topic
    this.topicId = options.topicId
    this.index = options.index
    this.#options = options
    this.#leadership = leadership
  }

  /** Opened on demand. Throws an operational fault; callers that answer clients go through `attempt`. */
  get log(): Log {
    const open = this.#log
    if (open !== undefined) return open
    const log = this.#options.openLog()
    this.#log = log
    // What recovery found counts only once it is on the device, where every answer says that.
    if (this.flushesFirst) log.flush()
    this.#advance()
    return log
  }
  /** Whether there is a log, open or not; without one the partition is empty. */
  get hasLog(): boolean {
    return this.#log !== undefined || this.#options.logExists
  }
  get isOpen(): boolean {
    return this.#log !== undefined
  }
  get leadership(): Leadership {
    return this.#leadership
  }
  get leaderEpoch(): number {
    return this.#leadership.leaderEpoch
  }
  get isLeader(): boolean {
    return this.#leadership.leader === this.#options.brokerId
  }
  get isOffline(): boolean {
    return this.#offline
  }
  get highWatermark(): number {
    if (this.#log === undefined) void this.log
    return this.#highWatermark
  }
  get lastStableOffset(): number {
    return this.log.lastStableOffset(this.highWatermark)
  }

  /** Why this replica cannot serve a client that believes in `currentLeaderEpoch` (-1: does not say); NONE when it can. */
  check(currentLeaderEpoch: number): ErrorCode {
    if (this.#offline) return ErrorCode.KAFKA_STORAGE_ERROR
    if (this.#closed) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    if (currentLeaderEpoch !== -1 && currentLeaderEpoch !== this.#leadership.leaderEpoch) {
      return currentLeaderEpoch < this.#leadership.leaderEpoch
        ? ErrorCode.FENCED_LEADER_EPOCH
        : ErrorCode.UNKNOWN_LEADER_EPOCH
    }
    return this.isLeader ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER
  }

  /** Runs something that touches the disk; a fault of it takes the replica offline, unless there was only no room. */
  attempt<T>(run: (log: Log) => T): T | typeof STORAGE_FAULT {
    try {
      return run(this.log)
    } catch (cause) {
      this.#failed(cause)
      return STORAGE_FAULT
    }
  }

  #failed(cause: unknown): void {
    if (faultCode(cause) === undefined) throw cause
    if (isDiskFull(cause)) this.#refuse(cause)
    else this.takeOffline(cause)
  }

  /** Appends as the leader. `requireInsync`: the caller wants acks=all. */
  append(
    batches: Uint8Array,
    options: Omit<AppendOptions, "leaderEpoch" | "now">,
    requireInsync: boolean,
  ): PartitionAppend {
    const error = this.check(-1)
    if (error !== ErrorCode.NONE) return refused(error)
    const { isr, replicas, leaderEpoch } = this.#leadership
    if (requireInsync && isr.length < Math.min(this.#options.minInsyncReplicas(), replicas.length)) {
      return refused(ErrorCode.NOT_ENOUGH_REPLICAS)
    }
    const result = this.attempt((log) => log.append(batches, { ...options, leaderEpoch, now: this.#options.now() }))
    if (result === STORAGE_FAULT) return refused(ErrorCode.KAFKA_STORAGE_ERROR)
    if (result.ok) {
      if (this.#full) this.#hasRoom()
      if (result.flushDue) this.#flushSoon()
      if (!result.duplicate) {
        this.#bytesUntold += batches.length
        this.#advance()
      }
    }
    return result
  }

  /**
   * Calls back once all below `offset` is committed, which may be at once; or with the error why it never will be here.
   * Undefined when it was settled at once. A waiter that gave up sets `done`.
   */
  whenCommitted(offset: number, settle: (error: number | undefined) => void): OffsetWaiter | undefined {
    if (this.#offline) settle(ErrorCode.KAFKA_STORAGE_ERROR)
    else if (offset <= this.highWatermark) settle(undefined)
    else return this.#offsetWaiters.add(offset, settle)
    return undefined
  }

  /** The same for what is on this replica's device. */
  whenFlushed(offset: number, settle: (error: number | undefined) => void): OffsetWaiter | undefined {
    if (this.#offline) settle(ErrorCode.KAFKA_STORAGE_ERROR)
    else if (offset <= this.log.recoveryPoint) settle(undefined)
    else return this.#flushWaiters.add(offset, settle)
    return undefined
  }

  /** A follower has all below `endOffset`. */
  followerAt(brokerId: number, endOffset: number): void {
    this.#followerEnds.set(brokerId, endOffset)
    this.#advance()
  }

  /** The metadata changed. Who waits under an older epoch is told to look again. */
  lead(leadership: Leadership): void {
    const before = this.#leadership
    this.#leadership = leadership
    if (!this.isLeader) this.#offsetWaiters.failAll(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    if (before.leaderEpoch !== leadership.leaderEpoch) this.fetchWaiters.interruptAll()
    if (this.#log !== undefined) this.#advance()
  }

  /** flush.ms: forces to the device what has waited long enough, and what there was no room for. */
  flushIfDue(now: number): void {
    const due = this.#log?.flushDueAt
    if ((due !== undefined && due <= now) || (this.#full && this.#log !== undefined)) this.#flushSoon()
  }

  /** The topic is deleted, or the broker stops. */
  close(error: ErrorCode): void {
    this.#closed = true
    this.#offsetWaiters.failAll(error)
    this.#flushWaiters.failAll(error)
    this.fetchWaiters.interruptAll()
  }

  /** Whether an answer says that the records are on the device. */
  get flushesFirst(): boolean {
    return this.#options.flushMessages() === 1
  }

  #advance(): void {
    const log = this.#log!
    const end = log.logEndOffset
    let watermark = this.flushesFirst ? Math.min(end, log.recoveryPoint) : end
    for (const replica of this.#leadership.isr) {
      if (replica !== this.#options.brokerId) watermark = Math.min(watermark, this.#followerEnds.get(replica) ?? 0)
    }
    if (watermark <= this.#highWatermark) return
    this.#highWatermark = watermark
    log.highWatermarkAdvanced(watermark)
    this.#offsetWaiters.reached(watermark)
    const bytes = this.#bytesUntold
    // Part of them may still lie above: readers look for themselves, and would rather be told too early.
    if (watermark === end) this.#bytesUntold = 0
    this.fetchWaiters.dataArrived(bytes)
    this.#options.onHighWatermark?.(watermark)
  }

  /** Group fsync: appends of one turn share one, and those that come while the device works share the next. */
  #flushSoon(): void {
    if (this.#flushing || this.#offline) return
    this.#flushing = true
    const log = this.log
    log.flushLater().then(
      () => {
        this.#flushing = false
        if (this.#closed) return
        this.#flushWaiters.reached(log.recoveryPoint)
        this.#advance()
        if (this.flushesFirst && log.logEndOffset > log.recoveryPoint) this.#flushSoon()
      },
      (cause: unknown) => {
        this.#flushing = false
        // After a failed fsync nobody knows what the device holds: trying again would lie.
        if (!this.#closed) this.#failed(cause)
      },
    )
  }

  /** Until the broker starts again: nobody knows what its files hold. */
  takeOffline(cause: unknown): void {
    if (this.#offline) return
    this.#offline = true
    this.#tell("error", "partition-offline", "is offline", cause)
    this.#failWaiters()
    this.fetchWaiters.interruptAll()
  }

  /** What was to be written was not, and all is as it was before. */
  #refuse(cause: DiskError): void {
    if (!this.#full) this.#tell("error", "partition-full", "refuses records until there is room", cause)
    this.#full = true
    this.#failWaiters()
  }

  #hasRoom(): void {
    this.#full = false
    this.#tell("info", "partition-has-room", "takes records again")
  }

  #failWaiters(): void {
    this.#offsetWaiters.failAll(ErrorCode.KAFKA_STORAGE_ERROR)
    this.#flushWaiters.failAll(ErrorCode.KAFKA_STORAGE_ERROR)
  }

  #tell(level: "error" | "info", event: string, what: string, cause?: unknown): void {
    const { topic, index } = this
    const told: ServerEvent = { level, event, topic, partition: index }
    const message = `partition ${topic}-${index} ${what}`
    if (cause === undefined) return this.#options.onFault(message, told)
    const reason = reasonOf(cause)
    this.#options.onFault(`${message}: ${reason}`, { ...told, reason })
  }
}

export const STORAGE_FAULT: unique symbol = Symbol("storage fault")

function refused(error: ErrorCode): PartitionAppend {
  return { ok: false, error, message: errorMessage(error), logStartOffset: -1 }
}

/**
 * Compacts the logs whose policy says so, one after the other, the one with the largest dirty share first.
 *
 * A round works in slices; between two of them everything else has its turn, for as long as the slice took, and longer
 * where log.cleaner.io.max.bytes.per.second says so. With nothing to clean it looks again after log.cleaner.backoff.ms.
 *
 * A log with damage in it is named once and left alone until the next start; it can be read, up to the damage. A full
 * disk only postpones. Any other fault of the disk takes the partition offline as everywhere.
 */
import { type Clock, DiskError, type Random, type Timer } from "@millrace/host"
import {
  type CleanableRange,
  cleanableRange,
  CleaningAborted,
  cleanLog,
  type Log,
  type LogDirectory,
} from "@millrace/storage"
import type { ConfigView } from "../config/view.ts"
import { faultCode } from "../faults.ts"
import { type Partition, STORAGE_FAULT } from "../partition/partition.ts"
import type { ReplicaManager } from "../replica-manager.ts"
import { reasonOf, type ServerLog } from "../server-log.ts"

export interface CleanerOptions {
  readonly clock: Clock
  readonly random: Random
  readonly configs: ConfigView
  readonly replicas: ReplicaManager
  readonly logDirectory: LogDirectory
  readonly log: ServerLog
  /** A fault that is no fault of the disk. */
  readonly onDefect: (cause: unknown) => void
}

interface Candidate {
  readonly partition: Partition
  readonly log: Log
  readonly range: CleanableRange
}

/** Longest pause after a slice for the others' sake: a slice that took longer than this was itself kept waiting. */
const REST_MS_MAX = 20

export class LogCleaner {
  readonly #options: CleanerOptions
  readonly #seed: number
  /** When a log that could not be cleaned may be tried again. */
  readonly #retryAt = new WeakMap<Log, number>()
  #closed = false
  #wake: (() => void) | undefined
  #running: Promise<void> | undefined
  #sliceStart = 0
  /** When the byte rate allows the next slice. */
  #rateFreeAt = 0

  constructor(options: CleanerOptions) {
    this.#options = options
    this.#seed = new DataView(options.random.bytes(4).slice().buffer).getInt32(0)
  }

  start(): void {
    this.#running = this.#run().catch((cause: unknown) => this.#options.onDefect(cause))
  }

  /** Ends the round under way; what it has swapped in stays. */
  async close(): Promise<void> {
    this.#closed = true
    this.#wake?.()
    await this.#running
  }

  async #run(): Promise<void> {
    const config = () => this.#options.configs.broker
    await this.#pause(config()["log.initial.task.delay.ms"])
    while (!this.#closed) {
      const next = config()["log.cleaner.enable"] ? this.#dirtiest() : undefined
      const cleaned = next !== undefined && (await this.#clean(next))
      if (!cleaned) await this.#pause(config()["log.cleaner.backoff.ms"])
    }
  }

  /** Of the logs that are due. */
  #dirtiest(): Candidate | undefined {
    const { configs, replicas, clock } = this.#options
    const now = clock.now()
    let dirtiest: Candidate | undefined
    for (const partition of replicas.partitions()) {
      if (!partition.hasLog || partition.isOffline) continue
      if (!configs.topic(partition.topic)["cleanup.policy"].includes("compact")) continue
      const candidate = partition.attempt((log) => this.#consider(partition, log, now))
      if (candidate === STORAGE_FAULT || candidate === undefined) continue
      if (dirtiest === undefined || candidate.range.dirtyRatio > dirtiest.range.dirtyRatio) dirtiest = candidate
    }
    return dirtiest
  }

  #consider(partition: Partition, log: Log, now: number): Candidate | undefined {
    if ((this.#retryAt.get(log) ?? 0) > now) return undefined
    const checkpoint = this.#options.logDirectory.cleanerOffset(partition.topic, partition.index)
    const { segments, logStartOffset, logEndOffset, config } = log
    const { lastStableOffset } = partition
    const range = cleanableRange({ segments, logStartOffset, logEndOffset, lastStableOffset, config }, checkpoint, now)
    return range.isDue ? { partition, log, range } : undefined
  }

  /** False when the round did not come to its end. */
  async #clean({ partition, log, range }: Candidate): Promise<boolean> {
    const { clock, configs, logDirectory } = this.#options
    const config = configs.broker
    const { topic, index } = partition
    this.#sliceStart = clock.monotonic()
    try {
      const result = await cleanLog(log, range, {
        now: clock.now(),
        dedupeBytes: config["log.cleaner.dedupe.buffer.size"],
        loadFactor: config["log.cleaner.io.buffer.load.factor"],
        // Half of it is for reading.
        ioBytes: config["log.cleaner.io.buffer.size"] / 2,
        seed: this.#seed,
        pace: (bytes) => this.#pace(bytes),
      })
      partition.attempt(() => logDirectory.setCleanerOffset(topic, index, result.endOffset))
      return true
    } catch (cause) {
      if (cause instanceof CleaningAborted) return false
      this.#failed(partition, log, cause)
      return false
    }
  }

  #failed(partition: Partition, log: Log, cause: unknown): void {
    if (faultCode(cause) === undefined) throw cause
    const { topic, index } = partition
    const name = `${topic}-${index}`
    const told = (event: string) =>
      ({ level: "warn", event, topic, partition: index, reason: reasonOf(cause) }) as const
    // Its files were half way through a swap: only a start can tell what holds.
    const isTorn = log.segments.some((segment) => segment.isRetired)
    if (!isTorn && cause instanceof DiskError && cause.code === "ENOSPC") {
      this.#retryAt.set(log, this.#options.clock.now() + this.#options.configs.broker["log.cleaner.backoff.ms"])
      this.#options.log(`compaction of ${name} is postponed: ${cause.message}`, told("compaction-postponed"))
    } else if (isTorn || cause instanceof DiskError) {
      partition.takeOffline(cause)
    } else {
      this.#retryAt.set(log, Infinity)
      this.#options.log(
        `${name} is not compacted until the next start: ${reasonOf(cause)}`,
        told("compaction-given-up"),
      )
    }
  }

  /** Gives way after a slice. */
  async #pace(bytes: number): Promise<void> {
    const { clock, configs } = this.#options
    const now = clock.monotonic()
    const rate = configs.broker["log.cleaner.io.max.bytes.per.second"]
    this.#rateFreeAt = Math.max(this.#rateFreeAt, now) + (bytes / rate) * 1000
    const rest = Math.min(now - this.#sliceStart, REST_MS_MAX)
    await this.#pause(Math.max(rest, this.#rateFreeAt - now))
    if (this.#closed) throw new CleaningAborted("the broker stops")
    this.#sliceStart = clock.monotonic()
  }

  /** Until the time has passed, or the cleaner is closed. */
  #pause(delayMs: number): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const timer: Timer = this.#options.clock.setTimer(Math.max(0, delayMs), () => this.#wake?.(), {
        background: true,
      })
      this.#wake = () => {
        timer.cancel()
        this.#wake = undefined
        resolve()
      }
    })
  }
}

/**
 * Reads changelogs into stores: one consumer for all restores and copies of a worker.
 *
 * While something is being restored, copies wait: a task that has not opened stops its partitions, a copy stops nothing.
 * What is known of their changelogs' ends gets old meanwhile, as it does while the cluster does not answer, and tells how old.
 * What fails in one follower ends that one alone; when reading itself fails, all end.
 */
import type { Consumer, FetchedPartition, ReadableEnd } from "@millrace/client"
import { RecordReader } from "@millrace/protocol/record/record"
import { partitionName, type RecordSink, type TopicPartition } from "./ports.ts"

export interface FollowOptions {
  readonly from: number
  /** A task waits for it. */
  readonly isUrgent: boolean
  readonly sink: RecordSink
  /** Awaited after every fetch; nothing more is read until then. What it throws ends the follower. */
  readonly onPosition?: (position: number) => Promise<void>
}

const POLL_MS = 500

export class ChangelogReader {
  readonly #makeConsumer: () => Consumer
  readonly #followers = new Map<string, Follower>()
  #consumer: Consumer | undefined
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(makeConsumer: () => Consumer) {
    this.#makeConsumer = makeConsumer
  }

  /** At most one follower of a partition at a time. */
  follow(partition: TopicPartition, options: FollowOptions): Follower {
    const name = partitionName(partition)
    const onStop = () => {
      if (this.#followers.get(name) !== follower) return
      this.#followers.delete(name)
      this.#arrange()
    }
    const follower = new Follower(partition, options, onStop, () => this.#consumer?.readableEnd(partition))
    if (this.#isClosed) follower.fail(new Error("the run was closed"))
    else if (this.#followers.has(name)) follower.fail(new Error(`${name} is being read already`))
    else {
      this.#followers.set(name, follower)
      this.#arrange()
      this.#consumer!.seek(partition, options.from)
      this.#running ??= this.#run().finally(() => (this.#running = undefined))
    }
    return follower
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const follower of this.#followers.values()) follower.fail(new Error("the run was closed"))
    await this.#running
    await this.#consumer?.close()
  }

  #arrange(): void {
    const followers = [...this.#followers.values()]
    this.#consumer ??= this.#makeConsumer()
    this.#consumer.assign(followers.map(({ partition }) => partition))
    const [urgent, patient] = [true, false].map((is) => followers.filter(({ isUrgent }) => isUrgent === is))
    this.#consumer.resume(urgent!.map(({ partition }) => partition))
    const list = patient!.map(({ partition }) => partition)
    if (urgent!.length > 0) this.#consumer.pause(list)
    else this.#consumer.resume(list)
  }

  async #run(): Promise<void> {
    while (this.#followers.size > 0) {
      let fetched: FetchedPartition[]
      try {
        fetched = await this.#consumer!.poll(POLL_MS)
      } catch (cause) {
        // Whoever still wants a changelog follows it anew, with a new consumer.
        const consumer = this.#consumer!
        this.#consumer = undefined
        const followers = [...this.#followers.values()]
        this.#followers.clear()
        for (const follower of followers) follower.fail(cause)
        await consumer.close().catch(() => {})
        continue
      }
      for (const part of fetched) this.#followers.get(partitionName(part))?.take(part)
      for (const follower of this.#followers.values()) await follower.settle()
    }
  }
}

export class Follower {
  readonly partition: TopicPartition
  readonly isUrgent: boolean
  readonly #options: FollowOptions
  readonly #onStop: () => void
  readonly #readableEnd: () => ReadableEnd | undefined
  readonly #failed = Promise.withResolvers<never>()
  #position: number
  #isStopped = false
  #goal: { readonly end: number; readonly reached: () => void } | undefined

  constructor(
    partition: TopicPartition,
    options: FollowOptions,
    onStop: () => void,
    readableEnd: () => ReadableEnd | undefined,
  ) {
    this.partition = partition
    this.isUrgent = options.isUrgent
    this.#options = options
    this.#onStop = onStop
    this.#readableEnd = readableEnd
    this.#position = options.from
    this.failed.catch(() => {})
  }

  /** Everything committed below it has been handed over. */
  get position(): number {
    return this.#position
  }

  /** Where the changelog ended by the last fetch; undefined before the first. */
  get readableEnd(): ReadableEnd | undefined {
    return this.#readableEnd()
  }

  /** Rejects with what ended it. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** Resolves when the position has got there; rejects when it never will. */
  async reaches(end: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const reached = Promise.withResolvers<void>()
    const onAbort = () => reached.reject(signal.reason)
    signal.addEventListener("abort", onAbort)
    this.#goal = { end, reached: reached.resolve }
    try {
      await Promise.race([reached.promise, this.failed])
    } finally {
      signal.removeEventListener("abort", onAbort)
      this.#goal = undefined
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#onStop()
  }

  fail(cause: unknown): void {
    if (this.#isStopped) return
    this.stop()
    this.#failed.reject(cause)
  }

  // What the reader calls.

  take(fetched: FetchedPartition): void {
    if (this.#isStopped) return
    try {
      for (const batch of fetched.batches) {
        const reader = new RecordReader(batch)
        while (reader.next()) {
          if (reader.offset >= this.#position) this.#options.sink(reader)
        }
      }
      this.#position = fetched.nextOffset
    } catch (cause) {
      this.fail(cause)
    }
  }

  async settle(): Promise<void> {
    if (this.#isStopped) return
    try {
      await this.#options.onPosition?.(this.#position)
      if (this.#goal !== undefined && this.#position >= this.#goal.end) this.#goal.reached()
    } catch (cause) {
      this.fail(cause)
    }
  }
}

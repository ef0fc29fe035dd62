/**
 * Runs a sink task: a member of the connector's consumer group that reads, converts, puts, and commits what is safe.
 *
 * Offsets are committed only past records that the task has flushed and dead letters that are written. When a partition
 * goes to another member, both happen before it is let go. A `RetriableError` from `put` gives the same records again,
 * without reading on; the member keeps polling meanwhile, so that it stays in its group, and records of partitions that
 * it loses are dropped: their next owner reads them.
 */
import { CommitFailed, type Consumer, type KafkaClient } from "@millrace/client"
import type { ResolvedSink, WorkerSettings } from "../config/resolve.ts"
import type { SinkTask } from "../connector.ts"
import type { SinkRecord, TopicPartition, TopicPartitionOffset } from "../data/record.ts"
import { retryDelayMs } from "../errors/tolerance.ts"
import type { Topics } from "../store/topics.ts"
import { Conversion, type Converters } from "./conversion.ts"
import { DeadLetters } from "./dead-letters.ts"
import { type Runner, RunnerControl, type RunnerOptions, runReporting } from "./runner.ts"
import { SinkReader } from "./sink-reader.ts"

/** How long one poll waits for records; also how soon a halt is noticed. */
const POLL_TIMEOUT_MS = 250
/** How often a pattern of topics is looked up, and topics that did not exist. */
const PATTERN_LOOK_MS = 30_000
const MISSING_LOOK_MS = 1_000

export interface SinkRunnerOptions extends RunnerOptions {
  readonly client: KafkaClient
  readonly connectorConfig: ResolvedSink
  readonly worker: WorkerSettings
  readonly topics: Topics
  readonly converters: Converters
}

export class SinkRunner implements Runner {
  readonly control: RunnerControl
  readonly #options: SinkRunnerOptions
  readonly #deadLetters: DeadLetters
  readonly #reader: SinkReader
  /** Offsets up to which records were put, by partition; what a commit may cover at most. */
  readonly #put = new Map<string, TopicPartitionOffset>()
  readonly #assigned = new Map<string, TopicPartition>()
  #committedAt = 0
  #subscribed: readonly string[] = []
  #topicsLookAt = 0
  #paused = false
  #consumer: Consumer | undefined
  #task: SinkTask | undefined

  constructor(options: SinkRunnerOptions) {
    this.#options = options
    this.control = new RunnerControl(options.held)
    const { common } = options.connectorConfig
    const conversion = new Conversion({
      host: options.host,
      signal: this.control.signal,
      policy: {
        tolerance: common["errors.tolerance"],
        retryTimeoutMs: common["errors.retry.timeout"],
        retryDelayMsMax: common["errors.retry.delay.max.ms"],
      },
      logErrors: common["errors.log.enable"],
      log: options.log,
    })
    this.#deadLetters = new DeadLetters(options)
    this.#reader = new SinkReader(conversion, options.converters, this.#deadLetters)
  }

  run(): Promise<void> {
    return runReporting(
      this.control,
      this.#options.report,
      () => this.#body(),
      () => this.#end(),
    )
  }

  async #body(): Promise<void> {
    const { client, connectorConfig, connector, task, host, log } = this.#options
    const { sink, definition, own } = connectorConfig
    await this.#deadLetters.open()
    this.#task = await definition.createTask(own as never, {
      connector,
      task,
      host,
      log,
      signal: this.control.signal,
      report: (record, error) => this.#deadLetters.reported(record, error),
    })
    const groupId = sink["consumer.override.group.id"] ?? `connect-${connector}`
    const consumer = client.consumer({
      groupId,
      // A static member (KIP-345): after a kill its successor takes its place at once, instead of waiting for the
      // session to time out. An orderly end leaves the group all the same.
      groupInstanceId: `${groupId}-${task}`,
      leaveOnClose: true,
      isolation: sink["consumer.override.isolation.level"],
      autoOffsetReset: sink["consumer.override.auto.offset.reset"],
    })
    this.#consumer = consumer
    await this.#subscribe(consumer)
    this.#committedAt = host.clock.monotonic()
    this.#options.report({ type: "up" })
    while (!this.control.halted) await this.#round(consumer)
    await this.#commit([...this.#put.values()])
  }

  async #round(consumer: Consumer): Promise<void> {
    this.#setPaused(consumer, this.control.held)
    const fetched = await consumer.poll(POLL_TIMEOUT_MS)
    const records: SinkRecord[] = []
    for (const part of fetched) await this.#reader.read(part, records)
    await this.#putUntilTaken(consumer, records)
    for (const { topic, partition, nextOffset } of fetched) {
      const place = { topic, partition, offset: nextOffset }
      if (this.#assigned.has(placeName(place))) this.#put.set(placeName(place), place)
    }
    const { host, worker } = this.#options
    const now = host.clock.monotonic()
    if (now - this.#committedAt >= worker["offset.flush.interval.ms"]) await this.#commit([...this.#put.values()])
    if (now >= this.#topicsLookAt) await this.#subscribe(consumer)
  }

  /** Subscribes to the topics that exist: those of a list, or of a pattern, as they are now. */
  async #subscribe(consumer: Consumer): Promise<void> {
    const { connectorConfig, host, topics: all } = this.#options
    const { topics: wanted, "topics.regex": pattern } = connectorConfig.sink
    const topics = pattern === null ? await all.existing(wanted) : await all.matching(new RegExp(`^(?:${pattern})$`))
    const isComplete = pattern === null && topics.length === wanted.length
    const lookAgainMs = isComplete ? Infinity : pattern === null ? MISSING_LOOK_MS : PATTERN_LOOK_MS
    this.#topicsLookAt = host.clock.monotonic() + lookAgainMs
    if (topics.join() === this.#subscribed.join()) return
    this.#subscribed = topics
    consumer.subscribe(topics, {
      onAssigned: (partitions) => this.#assignedPartitions(partitions),
      onRevoked: (partitions) => this.#revokedPartitions(partitions),
      onLost: (partitions) => this.#lostPartitions(partitions),
    })
  }

  async #putUntilTaken(consumer: Consumer, first: readonly SinkRecord[]): Promise<void> {
    const { host, log, connectorConfig } = this.#options
    let records = first
    for (let attempts = 1; records.length > 0; attempts++) {
      try {
        await this.#task!.put(records)
        await this.#deadLetters.settle()
        return
      } catch (error) {
        if ((error as Error).name !== "RetriableError") throw error
        const delayMs = retryDelayMs(connectorConfig.common["errors.retry.delay.max.ms"], attempts, host.random)
        log("warn", `put failed and is tried again in ${delayMs} ms: ${(error as Error).message}`)
        await this.#stayInGroup(consumer, delayMs)
        this.control.signal.throwIfAborted()
        records = records.filter((record) => this.#assigned.has(placeName(record)))
      }
    }
  }

  /** Polls without reading for a while. */
  async #stayInGroup(consumer: Consumer, delayMs: number): Promise<void> {
    const { clock } = this.#options.host
    const until = clock.monotonic() + delayMs
    this.#setPaused(consumer, true)
    for (let left = delayMs; left > 0 && !this.control.halted; left = until - clock.monotonic()) {
      await consumer.poll(Math.min(left, POLL_TIMEOUT_MS))
    }
    this.#setPaused(consumer, this.control.held)
  }

  #setPaused(consumer: Consumer, paused: boolean): void {
    if (paused === this.#paused) return
    this.#paused = paused
    const partitions = [...this.#assigned.values()]
    if (paused) consumer.pause(partitions)
    else consumer.resume(partitions)
  }

  async #assignedPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    for (const one of partitions) {
      this.#assigned.set(placeName(one), one)
      this.#options.usedTopic(one.topic)
    }
    const consumer = this.#consumer!
    if (this.#paused) consumer.pause(partitions)
    if (!this.#task!.open || partitions.length === 0) return
    const ids = await this.#options.topics.ids([...new Set(partitions.map(({ topic }) => topic))])
    const known = await this.#task!.open(partitions.map((one) => ({ ...one, topicId: ids.get(one.topic) })))
    if (!known || known.length === 0) return
    const ends = await consumer.endOffsets(known, { isolation: "read_uncommitted" })
    for (const place of known) {
      const end = ends.find((one) => placeName(one) === placeName(place))!
      // The log would answer from its beginning, and the sink would take old records for new ones or drop new ones.
      if (place.offset > end.offset) throw this.#beyond(place, end.offset)
      consumer.seek(place, place.offset)
    }
  }

  #beyond({ topic, partition, offset }: TopicPartitionOffset, end: number): Error {
    return new Error(
      `the sink has read ${topic}-${partition} up to ${offset}, but it ends at ${end}: it has lost records; ` +
        `stop the connector and alter or delete its offsets to go on`,
    )
  }

  async #revokedPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    const places = partitions.map((one) => this.#put.get(placeName(one))).filter((place) => place !== undefined)
    await this.#commit(places)
    await this.#lostPartitions(partitions)
  }

  async #lostPartitions(partitions: readonly TopicPartition[]): Promise<void> {
    for (const one of partitions) {
      this.#assigned.delete(placeName(one))
      this.#put.delete(placeName(one))
    }
    await this.#task!.close?.(partitions)
  }

  async #commit(places: readonly TopicPartitionOffset[]): Promise<void> {
    this.#committedAt = this.#options.host.clock.monotonic()
    if (places.length === 0) return
    await this.#deadLetters.settle()
    const safe = (await this.#task!.flush?.(places)) ?? places
    try {
      await this.#consumer!.commit(safe)
    } catch (error) {
      // The group has moved on: the next poll takes the partitions away, or gives them back for a later commit.
      if (!(error instanceof CommitFailed)) throw error
      this.#options.log("warn", `offsets were not committed: ${error.message}`)
      return
    }
    for (const place of safe)
      if (this.#put.get(placeName(place))?.offset === place.offset) this.#put.delete(placeName(place))
  }

  async #end(): Promise<void> {
    try {
      await this.#consumer?.close()
    } finally {
      try {
        await this.#task?.stop()
      } finally {
        await this.#deadLetters.close()
      }
    }
  }
}

const placeName = ({ topic, partition }: TopicPartition): string => `${partition} ${topic}`

/**
 * Runs a source task: poll, convert, write, and commit the offsets.
 *
 * Exactly once: a transactional producer whose id, GROUP-CONNECTOR-TASK, is the task's own. `initTransactions` ends what
 * an earlier owner of the id left open, and only then are the offsets read, so no transaction can commit between the two.
 * Records and the offsets behind them are written in one transaction; when anything in it fails the task fails, and
 * starts over from the offsets that did commit.
 *
 * Otherwise at least once: offsets are written after a flush that confirmed the records before them.
 */
import type { KafkaClient, Producer } from "@millrace/client"
import { sleep } from "@millrace/host"
import type { ResolvedSource, WorkerSettings } from "../config/resolve.ts"
import type { SourceTask } from "../connector.ts"
import type { SourceOffset, SourcePartition, SourceRecord } from "../data/record.ts"
import { sourceDeadLetter } from "../errors/dead-letter.ts"
import type { Stage } from "../errors/tolerance.ts"
import type { SourceOffsets } from "../store/source-offsets.ts"
import { partitionName } from "../store/source-offset.ts"
import type { Topics } from "../store/topics.ts"
import { Conversion, type Converters } from "./conversion.ts"
import { type Runner, RunnerControl, type RunnerOptions, runReporting } from "./runner.ts"

/** Whoever reads committed records waits this long for what a killed task has left open and nobody takes up. */
const TRANSACTION_TIMEOUT_MS_MIN = 15_000
/** A poll that found nothing at once is not repeated at once. */
const EMPTY_POLL_WAIT_MS = 20

export interface SourceRunnerOptions extends RunnerOptions {
  readonly client: KafkaClient
  readonly connectorConfig: ResolvedSource
  readonly worker: WorkerSettings
  readonly offsets: SourceOffsets
  readonly topics: Topics
  readonly converters: Converters
}

interface Bytes {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

export class SourceRunner implements Runner {
  readonly control: RunnerControl
  readonly #options: SourceRunnerOptions
  readonly #conversion: Conversion
  readonly #exactlyOnce: boolean
  /** How long records wait for their commit; 0: every poll commits. */
  readonly #intervalMs: number
  readonly #topicsReady = new Set<string>()
  #producer: Producer | undefined
  #task: SourceTask | undefined
  /** Offsets of records that were written but not committed, by partition name. */
  #pending = new Map<string, { readonly partition: SourcePartition; readonly offset: SourceOffset }>()
  #inTransaction = false
  #uncommittedSince: number | undefined

  constructor(options: SourceRunnerOptions) {
    this.#options = options
    this.control = new RunnerControl(options.held)
    const { common, source, definition } = options.connectorConfig
    this.#conversion = new Conversion({
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
    this.#exactlyOnce = definition.exactlyOnce && options.worker["exactly.once.source.support"] === "enabled"
    const flushMs = options.worker["offset.flush.interval.ms"]
    const boundaryMs =
      source["transaction.boundary"] === "poll" ? 0 : (source["transaction.boundary.interval.ms"] ?? flushMs)
    this.#intervalMs = this.#exactlyOnce ? boundaryMs : flushMs
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
    const { client, connector, task, worker, connectorConfig, offsets, host, log } = this.#options
    const transactionalId = `${worker["group.id"]}-${connector}-${task}`
    const transactionTimeoutMs = TRANSACTION_TIMEOUT_MS_MIN + 2 * this.#intervalMs
    const producer = client.producer(this.#exactlyOnce ? { transactionalId, transactionTimeoutMs } : {})
    this.#producer = producer
    if (this.#exactlyOnce) await producer.initTransactions()
    await offsets.refresh()
    await this.#ensureDeadLetterQueue()
    this.#task = await connectorConfig.definition.createTask(connectorConfig.own as never, {
      connector,
      task,
      host,
      log,
      signal: this.control.signal,
      offset: (partition) => offsets.get(connector, partition) ?? undefined,
    })
    this.#options.report({ type: "up" })
    while (!this.control.halted) {
      if (this.control.held) {
        await this.#commit()
        await this.control.whileHeld()
      } else if (await this.#round(this.#task)) return
    }
    await this.#commit()
  }

  /** One poll and what follows from it; true when the source is exhausted and the task was halted afterwards. */
  async #round(task: SourceTask): Promise<boolean> {
    const { clock } = this.#options.host
    const polledAt = clock.monotonic()
    const records = await task.poll()
    if (records === undefined) {
      await this.#commit()
      this.#options.report({ type: "completed" })
      await this.control.untilHalted()
      return true
    }
    if (records.length > 0) await this.#write(records)
    else if (clock.monotonic() - polledAt < 1) await sleep(clock, EMPTY_POLL_WAIT_MS, this.control.signal)
    const since = this.#uncommittedSince
    if (since !== undefined && clock.monotonic() - since >= this.#intervalMs) await this.#commit()
    return false
  }

  async #write(records: readonly SourceRecord[]): Promise<void> {
    const { clock } = this.#options.host
    const producer = this.#producer!
    this.#uncommittedSince ??= clock.monotonic()
    for (const record of records) {
      let bytes: Bytes | undefined
      try {
        bytes = this.#convert(record)
      } catch (error) {
        bytes = await this.#conversion.recover(
          error,
          () => this.#convert(record),
          (cause, stage) => this.#bury(record, cause, stage),
        )
      }
      if (bytes) {
        const { topic, partition = -1, timestamp = clock.now() } = record
        if (!this.#topicsReady.has(topic)) await this.#ensureTopic(topic)
        this.#begin()
        const roomy = producer.append(topic, partition, timestamp, bytes.key, bytes.value)
        if (!roomy) await producer.waitForSpace()
      }
      const name = partitionName(record.sourcePartition)
      this.#pending.set(name, { partition: record.sourcePartition, offset: record.sourceOffset })
    }
  }

  #convert(record: SourceRecord): Bytes {
    const { key, value } = this.#options.converters
    this.#conversion.stage = "KEY_CONVERTER"
    const keyBytes = key.fromConnect(record.topic, record.keySchema, record.key)
    this.#conversion.stage = "VALUE_CONVERTER"
    return { key: keyBytes, value: value.fromConnect(record.topic, record.valueSchema, record.value) }
  }

  /** A record that is skipped goes to the dead letter queue, in the transaction of its neighbours. */
  #bury(record: SourceRecord, error: Error, stage: Stage): void {
    const { common } = this.#options.connectorConfig
    const queue = common["errors.deadletterqueue.topic.name"]
    if (queue === "") return
    const { connector, task, converters, host } = this.#options
    const className = stage === "KEY_CONVERTER" ? converters.keyClass : converters.valueClass
    const withHeaders = common["errors.deadletterqueue.context.headers.enable"]
    const letter = sourceDeadLetter(record, { connector, task, stage, className, error })
    this.#begin()
    const timestamp = record.timestamp ?? host.clock.now()
    this.#producer!.append(queue, -1, timestamp, letter.key, letter.value, withHeaders ? letter.headers : undefined)
  }

  #begin(): void {
    if (!this.#exactlyOnce || this.#inTransaction) return
    this.#producer!.beginTransaction()
    this.#inTransaction = true
  }

  async #commit(): Promise<void> {
    this.#uncommittedSince = undefined
    if (this.#pending.size === 0) return
    const { connector, offsets } = this.#options
    const producer = this.#producer!
    const pending = [...this.#pending.values()]
    this.#pending = new Map()
    if (!this.#exactlyOnce) await producer.flush()
    this.#begin()
    for (const { partition, offset } of pending) offsets.append(producer, connector, partition, offset)
    if (this.#exactlyOnce) await producer.commitTransaction()
    else await producer.flush()
    this.#inTransaction = false
    for (const { partition, offset } of pending) offsets.applied(connector, partition, offset)
    await this.#task?.commit?.()
  }

  async #ensureTopic(topic: string): Promise<void> {
    const { connectorConfig, topics, usedTopic } = this.#options
    const { source } = connectorConfig
    await topics.ensure(topic, {
      partitions: source["topic.creation.default.partitions"],
      replicationFactor: source["topic.creation.default.replication.factor"],
    })
    this.#topicsReady.add(topic)
    usedTopic(topic)
  }

  async #ensureDeadLetterQueue(): Promise<void> {
    const { common } = this.#options.connectorConfig
    const queue = common["errors.deadletterqueue.topic.name"]
    if (queue === "" || common["errors.tolerance"] !== "all") return
    const replicationFactor = common["errors.deadletterqueue.topic.replication.factor"]
    await this.#options.topics.ensure(queue, { partitions: 1, replicationFactor })
  }

  async #end(): Promise<void> {
    try {
      await this.#task?.stop()
    } finally {
      await this.#closeProducer()
    }
  }

  async #closeProducer(): Promise<void> {
    const producer = this.#producer
    if (!producer) return
    try {
      if (this.#inTransaction) await producer.abortTransaction()
    } catch (error) {
      // The coordinator ends the transaction when the next owner of the id appears, or after its timeout.
      this.#options.log("warn", `an open transaction could not be aborted: ${(error as Error).message}`)
    } finally {
      await producer.close()
    }
  }
}

/**
 * The dead letter queue of one sink task. Without a queue, a tolerated record is dropped.
 */
import type { KafkaClient, Producer } from "@millrace/client"
import type { ResolvedSink } from "../config/resolve.ts"
import type { SinkRecord } from "../data/record.ts"
import { deadLetterHeaders, type RawRecord } from "../errors/dead-letter.ts"
import type { Stage } from "../errors/tolerance.ts"
import type { Log } from "../log.ts"
import type { Topics } from "../store/topics.ts"

export interface DeadLettersOptions {
  readonly client: KafkaClient
  readonly connectorConfig: ResolvedSink
  readonly topics: Topics
  readonly connector: string
  readonly task: number
  readonly log: Log
}

export class DeadLetters {
  readonly #options: DeadLettersOptions
  readonly #topic: string
  readonly #tolerated: boolean
  readonly #withHeaders: boolean
  /** The bytes that a record handed to the task came from. */
  readonly #raw = new WeakMap<SinkRecord, RawRecord>()
  #producer: Producer | undefined

  constructor(options: DeadLettersOptions) {
    const { common } = options.connectorConfig
    this.#options = options
    this.#topic = common["errors.deadletterqueue.topic.name"]
    this.#tolerated = common["errors.tolerance"] === "all"
    this.#withHeaders = common["errors.deadletterqueue.context.headers.enable"]
  }

  async open(): Promise<void> {
    if (this.#topic === "" || !this.#tolerated) return
    const { common } = this.#options.connectorConfig
    const replicationFactor = common["errors.deadletterqueue.topic.replication.factor"]
    await this.#options.topics.ensure(this.#topic, { partitions: 1, replicationFactor })
    this.#producer = this.#options.client.producer({})
  }

  /** Whether a record that the task refuses has somewhere to go, so that its bytes are worth keeping. */
  get keepsBytes(): boolean {
    return this.#producer !== undefined
  }

  remember(record: SinkRecord, raw: RawRecord): void {
    this.#raw.set(record, raw)
  }

  send(raw: RawRecord, error: Error, stage: Stage, className: string): void {
    const { connector, task } = this.#options
    const headers = this.#withHeaders
      ? [...raw.headers, ...deadLetterHeaders(raw, { connector, task, stage, className, error })]
      : raw.headers
    this.#producer?.append(this.#topic, -1, raw.timestamp, raw.key, raw.value, headers)
  }

  /** What `SinkTaskContext.report` does. */
  reported(record: SinkRecord, error: Error): void {
    if (!this.#tolerated) throw error
    const { connectorConfig, log } = this.#options
    if (connectorConfig.common["errors.log.enable"]) log("error", `a record was skipped at TASK_PUT: ${error.message}`)
    const raw = this.#raw.get(record)
    if (raw) this.send(raw, error, "TASK_PUT", connectorConfig.definition.className)
  }

  /** Resolves when all letters are written. */
  async settle(): Promise<void> {
    await this.#producer?.flush()
  }

  async close(): Promise<void> {
    await this.#producer?.close()
  }
}

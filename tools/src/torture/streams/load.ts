/**
 * Writes the input of the wide pipeline at a steady rate, with idempotent producers: each partition has one writer, which
 * writes the partition's rows first, then events, clicks, and newer versions of rows.
 */
import { type KafkaClient, type Producer } from "@millrace/client"
import { partitionForKey } from "@millrace/client/producer/murmur2"
import { type Draw, drawClick, drawEvent, lastEvent, type Source } from "@millrace/simulation/wide/input"
import { type InputName, topicName } from "@millrace/simulation/wide/pipeline"

const KEYS_PER_PARTITION = 6
const TICK_MS = 20
const ROW_CHANCE = 0.05
const CLICK_CHANCE = 0.3
/** Sends without an answer, over all partitions: beyond it the broker is away, and the load waits for it. */
const OUTSTANDING_MAX = 5_000
/** Longer than any broker is away. */
const DELIVERY_TIMEOUT_MS = 300_000
const encoder = new TextEncoder()

const draw: Draw = {
  int: (below) => Math.floor(Math.random() * below),
  chance: (probability) => Math.random() < probability,
  pick: (list) => list[Math.floor(Math.random() * list.length)]!,
}

export class Load {
  readonly #application: string
  readonly #sources: readonly Source[]
  readonly #producers: readonly Producer[]
  readonly #versions = new Map<string, number>()
  readonly #perTick: number
  #stopped = false
  #outstanding = 0
  #number = 0
  sent = 0
  /** Sends that failed for good; what of them stands in the log counts all the same. */
  failures = 0

  /** `rate`: events a second, over all partitions. */
  constructor(client: KafkaClient, application: string, partitions: number, writers: number, rate: number) {
    this.#application = application
    this.#sources = sourcesOf(partitions, Date.now())
    this.#producers = Array.from({ length: writers }, () =>
      client.producer({ acks: "all", lingerMs: 5, deliveryTimeoutMs: DELIVERY_TIMEOUT_MS, compression: "lz4" }),
    )
    this.#perTick = Math.max(1, Math.round((rate * TICK_MS) / 1_000 / partitions))
  }

  async run(): Promise<void> {
    for (const source of this.#sources) for (const key of source.keys) this.#row(source, key)
    await this.#flush()
    for (let due = performance.now(); !this.#stopped; due += TICK_MS) {
      while (!this.#stopped && (performance.now() < due || this.#outstanding > OUTSTANDING_MAX)) await pause(5)
      for (let count = 0; count < this.#perTick; count++, this.#number++)
        for (const source of this.#sources) this.#tick(source, this.#number)
    }
    for (const source of this.#sources) {
      const event = lastEvent(source, this.#number)
      this.#send(source, "events", event.key, event, event.at)
    }
    await this.#flush()
    for (const producer of this.#producers) await producer.close()
  }

  stop(): void {
    this.#stopped = true
  }

  #tick(source: Source, number: number): void {
    const event = drawEvent(draw, source, number)
    this.#send(source, "events", event.key, event, event.at)
    if (draw.chance(ROW_CHANCE)) this.#row(source, draw.pick(source.keys))
    if (!draw.chance(CLICK_CHANCE)) return
    const click = drawClick(draw, source, number)
    this.#send(source, "clicks", click.key, click, click.at)
  }

  #row(source: Source, key: string): void {
    const version = (this.#versions.get(key) ?? 0) + 1
    this.#versions.set(key, version)
    this.#send(source, "rows", key, version, source.startMs)
  }

  #send({ partition }: Source, name: InputName, key: string, value: unknown, timestamp: number): void {
    const topic = topicName(this.#application, name)
    this.#outstanding++
    this.sent++
    this.#producers[partition % this.#producers.length]!.send({
      topic,
      partition,
      key: encoder.encode(key),
      value: encoder.encode(JSON.stringify(value)),
      timestamp,
    })
      .catch(() => void this.failures++)
      .finally(() => void this.#outstanding--)
  }

  async #flush(): Promise<void> {
    // What failed is counted where it was sent.
    for (const producer of this.#producers) await producer.flush().catch(() => {})
    while (this.#outstanding > 0) await pause(5)
  }
}

/** As many keys for each partition as Kafka's own partitioner puts there. */
function sourcesOf(partitions: number, startMs: number): Source[] {
  const keys = Array.from({ length: partitions }, () => [] as string[])
  for (let number = 0; keys.some((list) => list.length < KEYS_PER_PARTITION); number++) {
    const key = `k${number}`
    const list = keys[partitionForKey(encoder.encode(key), partitions)]!
    if (list.length < KEYS_PER_PARTITION) list.push(key)
  }
  return keys.map((list, partition) => ({ partition, partitions, keys: list, startMs }))
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Writes the input of the streams suite with an idempotent producer: a version of every row first, then events out of
 * order in event time, some too late for their window, and newer versions of rows between them.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient, type Producer } from "@millrace/client"
import { partitionForKey } from "@millrace/client/producer/murmur2"
import type { SeededRandom } from "../random.ts"
import { EPOCH_MS } from "../scheduler.ts"
import { EVENTS_BEHIND_MS, type EventValue, TOPICS } from "./pipeline.ts"

export interface EventWriterOptions {
  readonly brokers: string
  readonly partitions: number
  readonly count: number
  readonly durationMs: number
  /** Of events that the filter takes out. */
  readonly noiseChance?: number | undefined
}

const KEYS = ["k0", "k1", "k2", "k3", "k4", "k5"] as const
const WORDS = ["ant", "bee", "cat", "dog", "elk"] as const
const DELIVERY_TIMEOUT_MS = 600_000
const BURST_MAX = 30
const NOISE_CHANCE = 0.15
const ROW_CHANCE = 0.1
/** Event time moves by this much a record, and a record is behind by up to so much, or much more. */
const STEP_MS = 150
const BEHIND_MS_MAX = 700
const LATE_CHANCE = 0.1
const LATE_MS_MAX = 5_000
const START_MS = EPOCH_MS - EVENTS_BEHIND_MS
const encoder = new TextEncoder()

export class EventWriter {
  /** By partition, in order. */
  readonly sent: EventValue[][]
  /** The last version of each row. */
  readonly rows = new Map<string, number>()
  readonly failures: string[] = []
  done = false
  #unanswered = 0

  constructor(partitions: number) {
    this.sent = Array.from({ length: partitions }, () => [])
  }

  get unanswered(): number {
    return this.#unanswered
  }

  async run(host: Host, random: SeededRandom, options: EventWriterOptions): Promise<void> {
    const client = new KafkaClient({ host, brokers: options.brokers, clientId: "events" })
    const producer = client.producer({ lingerMs: random.int(10), deliveryTimeoutMs: DELIVERY_TIMEOUT_MS })
    await Promise.all(KEYS.map((key) => this.#sendRow(producer, key, START_MS)))
    const answers: Promise<void>[] = []
    const pauseMs = (options.durationMs * (1 + BURST_MAX)) / 2 / options.count
    for (let number = 0, burst = 0; number < options.count; number++) {
      if (burst-- === 0) {
        burst = random.int(BURST_MAX)
        await sleep(host.clock, random.int(2 * pauseMs))
      }
      const key = random.pick(KEYS)
      const behindMs = random.int(random.chance(LATE_CHANCE) ? LATE_MS_MAX : BEHIND_MS_MAX)
      const at = START_MS + Math.max(0, number * STEP_MS - behindMs)
      if (random.chance(ROW_CHANCE)) answers.push(this.#sendRow(producer, random.pick(KEYS), at))
      const event = {
        id: String(number),
        key,
        at,
        word: random.pick(WORDS),
        isNoise: random.chance(options.noiseChance ?? NOISE_CHANCE),
      }
      this.sent[partitionForKey(encoder.encode(key), options.partitions)]!.push(event)
      answers.push(this.#send(producer, TOPICS.events, key, event, at))
    }
    await Promise.all(answers)
    this.done = true
    await producer.close()
    await client.close()
  }

  #sendRow(producer: Producer, key: string, timestamp: number): Promise<void> {
    const version = (this.rows.get(key) ?? 0) + 1
    this.rows.set(key, version)
    return this.#send(producer, TOPICS.rows, key, version, timestamp)
  }

  async #send(producer: Producer, topic: string, key: string, value: unknown, timestamp: number): Promise<void> {
    this.#unanswered++
    const text = JSON.stringify(value)
    try {
      await producer.send({ topic, key: encoder.encode(key), value: encoder.encode(text), timestamp })
      this.#unanswered--
    } catch (error) {
      this.failures.push(`${text}: ${String(error)}`)
    }
  }
}

/**
 * A reader that polls assigned partitions from the first record on while the faults strike, and notes what it saw where.
 * It says at once when a position, a high watermark or a last stable offset goes back.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { type Consumer, KafkaClient } from "@millrace/client"
import type { SeededRandom } from "../random.ts"

export interface ObserverOptions {
  readonly name: string
  readonly brokers: string
  readonly topic: string
  readonly partitions: number
  readonly isolation: "read_committed" | "read_uncommitted"
}

export interface Seen {
  readonly offset: number
  readonly value: string
}

const POLL_MS = 2_000
const RETRY_MS = 200
const decoder = new TextDecoder()

export class Observer {
  readonly topic: string
  /** By partition, in the order in which it was read. */
  readonly seen: Seen[][]
  readonly findings: string[] = []
  stopped = false
  readonly #name: string
  readonly #bounds = new Map<string, number>()

  constructor(name: string, topic: string, partitions: number) {
    this.#name = name
    this.topic = topic
    this.seen = Array.from({ length: partitions }, () => [])
  }

  get count(): number {
    return this.seen.reduce((sum, list) => sum + list.length, 0)
  }

  async run(host: Host, random: SeededRandom, options: ObserverOptions): Promise<void> {
    const client = new KafkaClient({ host, brokers: options.brokers, clientId: options.name })
    const consumer = client.consumer({
      isolation: options.isolation,
      autoOffsetReset: "none",
      fetchMaxWaitMs: 1_000,
      maxPartitionFetchBytes: random.pick([100, 300, 1_000_000]),
      maxPollRecords: random.pick([1, 10, 1_000]),
    })
    const parts = this.seen.map((_, partition) => ({ topic: options.topic, partition }))
    consumer.assign(parts)
    for (const part of parts) consumer.seek(part, 0)
    while (!this.stopped) {
      try {
        await this.#poll(consumer)
      } catch (error) {
        this.#found(`poll failed: ${String(error)}`)
        await sleep(host.clock, RETRY_MS)
      }
    }
    await consumer.close()
    await client.close()
  }

  async #poll(consumer: Consumer): Promise<void> {
    const before = this.seen.map((_, partition) => consumer.position({ topic: this.topic, partition })!)
    for (const part of await consumer.poll(POLL_MS)) {
      const { partition } = part
      if (part.startOffset !== before[partition])
        this.#found(`a poll of partition ${partition} starts at ${part.startOffset}, not at ${before[partition]}`)
      before[partition] = part.nextOffset
      this.#ascends(`high watermark of ${partition}`, part.highWatermark)
      this.#ascends(`last stable offset of ${partition}`, part.lastStableOffset)
      this.#ascends(`position in ${partition}`, part.nextOffset)
      if (part.nextOffset > part.highWatermark)
        this.#found(`partition ${partition} was read to ${part.nextOffset}, behind its end ${part.highWatermark}`)
      const cursor = part.cursor()
      while (cursor.next()) {
        const { offset } = cursor.record
        this.#ascends(`record offset in ${partition}`, offset)
        this.seen[partition]!.push({ offset, value: decoder.decode(cursor.record.value()!) })
      }
    }
  }

  #ascends(what: string, value: number): void {
    const before = this.#bounds.get(what) ?? -1
    if (value < before) this.#found(`the ${what} went back from ${before} to ${value}`)
    this.#bounds.set(what, value)
  }

  #found(what: string): void {
    this.findings.push(`${this.#name} of ${this.topic}: ${what}`)
  }
}

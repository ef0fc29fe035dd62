/**
 * How long results take while something happens: from when a record was written to when its result, committed, has come
 * here. Results carry the time of the record they are of.
 */
import { type KafkaClient, OffsetSpec, recordsOf } from "@millrace/client"
import { partitionsOf } from "../restore/data.ts"

export interface Latency {
  readonly results: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly maxMs: number
  /** By partition: the longest time in which nothing came of it. */
  readonly silencesMs: readonly number[]
}

export class LatencyWatch {
  readonly #client: KafkaClient
  readonly #topic: string
  #latencies: number[] = []
  #heardAt: number[] = []
  #silences: number[] = []
  #isOn = true
  #running: Promise<void> | undefined

  constructor(client: KafkaClient, topic: string) {
    this.#client = client
    this.#topic = topic
    this.reset()
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Forgets what it has seen. */
  reset(): void {
    const now = Date.now()
    this.#latencies = []
    this.#heardAt = partitionsOf(this.#topic).map(() => now)
    this.#silences = partitionsOf(this.#topic).map(() => 0)
  }

  get seen(): Latency {
    const now = Date.now()
    for (const partition of this.#heardAt.keys()) this.#heard(partition, now)
    const sorted = this.#latencies.toSorted((a, b) => a - b)
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
    return {
      results: sorted.length,
      medianMs: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
      silencesMs: this.#silences.toSorted((a, b) => a - b),
    }
  }

  async stop(): Promise<void> {
    this.#isOn = false
    await this.#running
  }

  #heard(partition: number, now: number): void {
    this.#silences[partition] = Math.max(this.#silences[partition]!, now - this.#heardAt[partition]!)
    this.#heardAt[partition] = now
  }

  async #run(): Promise<void> {
    const partitions = partitionsOf(this.#topic)
    const ends = await this.#client
      .admin()
      .listOffsets(partitions.map((one) => ({ ...one, timestamp: OffsetSpec.latest })))
    const consumer = this.#client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
    consumer.assign(partitions)
    for (const { topic, partition, offset } of ends) consumer.seek({ topic, partition }, offset)
    while (this.#isOn) {
      for (const fetched of await consumer.poll(100)) {
        const now = Date.now()
        this.#heard(fetched.partition, now)
        for (const record of recordsOf(fetched)) this.#latencies.push(now - Number(record.timestamp))
      }
    }
    await consumer.close()
  }
}

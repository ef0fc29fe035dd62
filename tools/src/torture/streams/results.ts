/**
 * Follows the results as read_committed sees them, from the first record on, and keeps them for the check.
 */
import type { KafkaClient } from "@millrace/client"
import type { WideResult } from "@millrace/simulation/wide/check"
import { type ResultName, RESULTS, topicName } from "@millrace/simulation/wide/pipeline"

const POLL_MS = 100
const decoder = new TextDecoder()

export class Results {
  readonly #client: KafkaClient
  readonly #application: string
  readonly #partitions: number
  readonly #found = new Map(RESULTS.map((name) => [name, [] as WideResult[][]]))
  #stopped = false
  #count = 0

  constructor(client: KafkaClient, application: string, partitions: number) {
    this.#client = client
    this.#application = application
    this.#partitions = partitions
  }

  get count(): number {
    return this.#count
  }

  countOf(name: ResultName): number {
    return this.#found.get(name)!.reduce((sum, list) => sum + list.length, 0)
  }

  stop(): void {
    this.#stopped = true
  }

  /** All partitions of each one after another. */
  all(): Record<ResultName, WideResult[]> {
    return Object.fromEntries(RESULTS.map((name) => [name, this.#found.get(name)!.flat()])) as never
  }

  async run(): Promise<void> {
    await using consumer = this.#client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
    const names = new Map(RESULTS.map((name) => [topicName(this.#application, name), name]))
    const parts = [...names.keys()].flatMap((topic) =>
      Array.from({ length: this.#partitions }, (_, partition) => ({ topic, partition })),
    )
    consumer.assign(parts)
    for (const part of parts) consumer.seek(part, 0)
    while (!this.#stopped) {
      for (const fetched of await consumer.poll(POLL_MS)) {
        const lists = this.#found.get(names.get(fetched.topic)!)!
        const list = (lists[fetched.partition] ??= [])
        fetched.forEach((record) => {
          list.push({
            key: decoder.decode(record.key()!),
            value: decoder.decode(record.value()!),
            timestamp: record.timestamp,
          })
          this.#count++
        })
      }
    }
  }
}

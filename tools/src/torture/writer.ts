/**
 * An idempotent producer that writes unique values and notes which were acknowledged.
 */
import type { KafkaClient } from "@millrace/client"
import type { Ledger } from "./ledger.ts"

const encoder = new TextEncoder()
/** Unanswered sends per writer: enough to keep batches filled, little enough that every kill finds some in flight. */
const OUTSTANDING_MAX = 500

export class Writer {
  readonly #name: string
  readonly #topic: string
  readonly #partitions: number
  readonly #ledger: Ledger
  readonly #producer: ReturnType<KafkaClient["producer"]>
  #stopped = false
  #outstanding = 0
  /** A send that failed for good. Its value may or may not be in the log, but must not be there twice. */
  failures = 0

  constructor(client: KafkaClient, name: string, topic: string, partitions: number, ledger: Ledger) {
    this.#name = name
    this.#topic = topic
    this.#partitions = partitions
    this.#ledger = ledger
    this.#producer = client.producer({ acks: "all", lingerMs: 2, deliveryTimeoutMs: 300_000, compression: "lz4" })
  }

  async run(): Promise<void> {
    for (let number = 0; !this.#stopped; number++) {
      while (this.#outstanding >= OUTSTANDING_MAX && !this.#stopped) await pause(5)
      const value = `${this.#name}-${number}`
      this.#outstanding++
      this.#ledger.sent++
      this.#producer
        .send({
          topic: this.#topic,
          partition: number % this.#partitions,
          key: encoder.encode(value),
          value: encoder.encode(value),
        })
        .then(
          ({ partition, offset }) => void this.#ledger.acknowledged.set(value, { partition, offset }),
          () => void this.failures++,
        )
        .finally(() => void this.#outstanding--)
      if (number % 50 === 0) await pause(5)
    }
    await this.#producer.flush()
    await this.#producer.close()
  }

  stop(): void {
    this.#stopped = true
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

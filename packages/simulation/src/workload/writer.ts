/**
 * An idempotent producer on a simulated machine. It sends unique values, "name-number", to fixed partitions and notes
 * the order in which it sent them and which were acknowledged.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient } from "@millrace/client"
import type { SeededRandom } from "../random.ts"

export interface WriterOptions {
  readonly name: string
  readonly brokers: string
  readonly topic: string
  readonly partitions: number
  readonly count: number
}

const encoder = new TextEncoder()
/** Larger than any outage in a run: a send fails for a fault of ours, not for lack of patience. */
const DELIVERY_TIMEOUT_MS = 600_000
const PAUSE_MS_MAX = 30
const CODECS = ["none", "gzip", "lz4", "zstd", "snappy"] as const

export class Writer {
  readonly sent: string[][]
  readonly acknowledged = new Set<string>()
  readonly failures: string[] = []
  done = false

  constructor(partitions: number) {
    this.sent = Array.from({ length: partitions }, () => [])
  }

  async run(host: Host, random: SeededRandom, options: WriterOptions): Promise<void> {
    const client = new KafkaClient({ host, brokers: options.brokers, clientId: options.name })
    const producer = client.producer({
      acks: "all",
      lingerMs: random.int(10),
      deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
      compression: random.pick(CODECS),
    })
    const answers: Promise<void>[] = []
    for (let number = 0; number < options.count; number++) {
      const partition = random.int(options.partitions)
      const value = `${options.name}-${number}`
      this.sent[partition]!.push(value)
      const bytes = encoder.encode(value)
      answers.push(
        producer.send({ topic: options.topic, partition, key: bytes, value: bytes }).then(
          () => void this.acknowledged.add(value),
          (error: unknown) => void this.failures.push(`${value}: ${String(error)}`),
        ),
      )
      if (random.chance(0.3)) await sleep(host.clock, random.int(PAUSE_MS_MAX))
    }
    await Promise.all(answers)
    this.done = true
    await producer.close()
    await client.close()
  }
}

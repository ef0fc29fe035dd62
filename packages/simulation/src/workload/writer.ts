/**
 * An idempotent producer on a simulated machine. It sends unique values, "name-number", to fixed partitions, in bursts
 * spread over the time of the faults, and notes the order in which it sent them and where each was acknowledged.
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
  /** How long all of it takes without faults, about. */
  readonly durationMs: number
  /** Silence of this length halfway, longer than the broker remembers a producer; 0 for none. */
  readonly silenceMs: number
}

/** Where a record was acknowledged. */
export interface Place {
  readonly partition: number
  readonly offset: number
}

const encoder = new TextEncoder()
/** Larger than any outage in a run: a send fails for a fault of ours, not for lack of patience. */
const DELIVERY_TIMEOUT_MS = 600_000
/** Shorter than a clogged connection's delay: what was sent there arrives when newer requests have overtaken it. */
const REQUEST_TIMEOUTS_MS = [1_500, 30_000] as const
const BURST_MAX = 12
/** Keys are noise: batches of many sizes lie over the device's sectors in many ways. */
const KEY_BYTES = [10, 300, 1_500] as const
const CODECS = ["none", "gzip", "lz4", "zstd", "snappy"] as const
/** From one record a batch, which fills the five requests in flight, to whole bursts. */
const BATCH_SIZES = [1, 150, 400, 16_384] as const

export class Writer {
  readonly sent: string[][]
  readonly acknowledged = new Map<string, Place>()
  /** By the wall clock, which is the record's timestamp. */
  readonly sentAt = new Map<string, number>()
  readonly failures: string[] = []
  done = false
  silences = 0

  constructor(partitions: number) {
    this.sent = Array.from({ length: partitions }, () => [])
  }

  /** For a run that got stuck: what has no answer. */
  get unanswered(): string[] {
    return this.sent.flat().filter((value) => !this.acknowledged.has(value))
  }

  async run(host: Host, random: SeededRandom, options: WriterOptions): Promise<void> {
    const client = new KafkaClient({
      host,
      brokers: options.brokers,
      clientId: options.name,
      requestTimeoutMs: random.pick(REQUEST_TIMEOUTS_MS),
    })
    const producer = client.producer({
      acks: "all",
      lingerMs: random.int(10),
      batchSize: random.pick(BATCH_SIZES),
      deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
      compression: random.pick(CODECS),
    })
    const keyBytesMax = random.pick(KEY_BYTES)
    const answers: Promise<void>[] = []
    const pauseMs = (options.durationMs * (1 + BURST_MAX)) / 2 / options.count
    const halfway = Math.floor(options.count / 2)
    for (let number = 0, burst = 0; number < options.count; number++) {
      if (burst-- === 0) {
        burst = random.int(BURST_MAX)
        await sleep(host.clock, random.int(2 * pauseMs))
      }
      if (number === halfway && options.silenceMs > 0) {
        await Promise.all(answers)
        await sleep(host.clock, options.silenceMs)
        this.silences++
      }
      const partition = random.int(options.partitions)
      const value = `${options.name}-${number}`
      this.sent[partition]!.push(value)
      this.sentAt.set(value, host.clock.now())
      const key = random.bytes(random.int(keyBytesMax))
      answers.push(
        producer.send({ topic: options.topic, partition, key, value: encoder.encode(value) }).then(
          ({ offset }) => void this.acknowledged.set(value, { partition, offset }),
          (error: unknown) => void this.failures.push(`${value}: ${String(error)}`),
        ),
      )
    }
    await Promise.all(answers)
    this.done = true
    await producer.close()
    await client.close()
  }
}

/**
 * Numbers that go up by one in each partition, written at a steady rate; and who reads them again, from whatever topic they
 * were copied to, and notices one that is missing, there twice or out of order.
 */
import type { Consumer, KafkaClient, Producer } from "@millrace/client"

const TICK_MS = 10
const POLL_MS = 200
const FINDINGS_MAX = 20
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Behind the number, so that records are of a usual size. */
const PADDING = ` ${"abcdefgh".repeat(25)}`

/** Keeps its numbers over the producers that it uses, one for each phase of the load. */
export class Numbers {
  readonly #next: number[]
  written = 0

  constructor(partitions: number) {
    this.#next = Array.from({ length: partitions }, () => 0)
  }

  get next(): readonly number[] {
    return this.#next
  }

  /** Writes `perSecond` until `over`; every record is acknowledged when it resolves, or it throws. */
  async write(client: KafkaClient, topic: string, perSecond: number, over: () => boolean): Promise<void> {
    const producer = client.producer({ acks: "all", deliveryTimeoutMs: 120_000, compression: "lz4" })
    const started = performance.now()
    let sent = 0
    while (!over()) {
      for (const due = ((performance.now() - started) * perSecond) / 1_000; sent < due; sent++) {
        await this.#append(producer, topic, sent % this.#next.length)
      }
      await pause(TICK_MS)
    }
    await producer.flush()
    await producer.close()
  }

  async #append(producer: Producer, topic: string, partition: number): Promise<void> {
    const value = encoder.encode(`${this.#next[partition]!++}${PADDING}`)
    if (!producer.append(topic, partition, Date.now(), null, value)) await producer.waitForSpace()
    this.written++
  }
}

export class Auditor {
  readonly #topic: string
  readonly #expected: number[]
  readonly #offsets = new Map<number, number>()
  readonly findings: string[] = []
  audited = 0

  constructor(topic: string, partitions: number) {
    this.#topic = topic
    this.#expected = Array.from({ length: partitions }, () => 0)
  }

  /** Reads until `over`, from where it was the last time. */
  async read(client: KafkaClient, over: () => boolean): Promise<void> {
    const consumer = client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
    consumer.assign(this.#expected.map((_, partition) => ({ topic: this.#topic, partition })))
    for (const [partition, offset] of this.#offsets) consumer.seek({ topic: this.#topic, partition }, offset)
    while (!over()) await this.#poll(consumer)
    await consumer.close()
  }

  /** Whether it has read up to `next`, number by number. */
  isAt(next: readonly number[]): boolean {
    return next.every((number, partition) => this.#expected[partition]! >= number)
  }

  /** What is missing in the end. */
  lacking(next: readonly number[]): string[] {
    return next.flatMap((number, partition) => {
      const seen = this.#expected[partition]!
      return seen === number ? [] : [`${this.#topic}-${partition} ends at number ${seen}, ${number} were written`]
    })
  }

  async #poll(consumer: Consumer): Promise<void> {
    for (const part of await consumer.poll(POLL_MS)) {
      const cursor = part.cursor()
      while (cursor.next()) {
        const number = Number.parseInt(decoder.decode(cursor.record.value()!), 10)
        const expected = this.#expected[part.partition]!
        if (number !== expected) this.#found(`${this.#topic}-${part.partition}: ${number} follows ${expected - 1}`)
        this.#expected[part.partition] = number + 1
        this.audited++
      }
      this.#offsets.set(part.partition, part.nextOffset)
    }
  }

  #found(what: string): void {
    if (this.findings.length < FINDINGS_MAX) this.findings.push(what)
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * A broker for a test file, and short ways to put records into topics and take them out.
 */
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { embeddedBroker } from "@millrace/testing"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { expect } from "vitest"
import type { Headers, RunOptions, Topic } from "../../src/index.ts"

export interface Consumed<K, V> {
  readonly key: K
  readonly value: V | null
  readonly timestamp: number
  readonly partition: number
}

const CONSUME_MS_MAX = 60_000

/** A name of this run alone where the brokers outlive it. */
export const named = (name: string): string => name + SUFFIX

const SUFFIX = process.env["MILLRACE_TEST_BROKERS"] ? `-${Buffer.from(nodeHost.random.bytes(4)).toString("hex")}` : ""

type GroupProtocol = NonNullable<RunOptions["groupProtocol"]>

export class Bench {
  readonly brokers: string
  /** What pipelines are run with that take their options from here. */
  readonly groupProtocol: GroupProtocol
  readonly client: KafkaClient
  readonly directory = mkdtempSync(path.join(tmpdir(), "millrace-streams-"))
  readonly #close: () => Promise<void>

  constructor(brokers: string, groupProtocol: GroupProtocol, close: () => Promise<void>) {
    this.brokers = brokers
    this.groupProtocol = groupProtocol
    this.client = new KafkaClient({ host: nodeHost, brokers })
    this.#close = close
  }

  /** On a broker of its own. */
  static async start(groupProtocol: GroupProtocol = "classic", config: Record<string, string> = {}): Promise<Bench> {
    const atOnce = { "group.initial.rebalance.delay.ms": "0", "group.streams.initial.rebalance.delay.ms": "0" }
    const broker = await embeddedBroker({ config: { ...atOnce, ...config } })
    return new Bench(broker.brokers, groupProtocol, () => broker.close())
  }

  /** On the brokers that MILLRACE_TEST_BROKERS names. */
  static async given(groupProtocol: GroupProtocol = "classic"): Promise<Bench> {
    return new Bench(process.env["MILLRACE_TEST_BROKERS"]!, groupProtocol, async () => {})
  }

  async close(): Promise<void> {
    await this.client.close()
    await this.#close()
    rmSync(this.directory, { recursive: true })
  }

  async createTopics(topics: Readonly<Record<string, number>>): Promise<void> {
    // Tests write records of 1970: a broker that runs for longer than half a minute would delete them by their age.
    const configs = { "retention.ms": "-1" }
    const list = Object.entries(topics).map(([name, partitions]) => ({ name: named(name), partitions, configs }))
    await this.client.admin().createTopics(list)
  }

  /** A value that is null deletes. */
  async produce<K, V>(
    topic: Topic<K, V>,
    records: ReadonlyArray<readonly [K, V | null, number, Headers?]>,
  ): Promise<void> {
    await using producer = this.client.producer()
    for (const [key, value, timestamp, headers] of records) {
      const bytes = value === null ? null : topic.value.encode(value)
      producer.append(topic.name, -1, timestamp, topic.key.encode(key), bytes, headers)
    }
    await producer.flush()
  }

  /** Committed records of a topic: as many as were asked for, or what there is when the time is up. */
  async consume<K, V>(topic: Topic<K, V>, count: number, timeoutMs = CONSUME_MS_MAX): Promise<Array<Consumed<K, V>>> {
    await using consumer = this.client.consumer({ isolation: "read_committed", autoOffsetReset: "earliest" })
    const [described] = await this.client.admin().describeTopics([topic.name])
    consumer.assign(described!.partitions.map((_, partition) => ({ topic: topic.name, partition })))
    const found: Array<Consumed<K, V>> = []
    const until = nodeHost.clock.monotonic() + timeoutMs
    while (found.length < count && nodeHost.clock.monotonic() < until) {
      for (const fetched of await consumer.poll(100)) {
        fetched.forEach((record) => {
          const value = record.value()
          found.push({
            key: topic.key.decode(record.key()!),
            value: value && topic.value.decode(value),
            timestamp: record.timestamp,
            partition: fetched.partition,
          })
        })
      }
    }
    return found
  }

  options(name: string, more: Partial<RunOptions> = {}): RunOptions {
    const stateDir = path.join(this.directory, name)
    const { brokers, groupProtocol } = this
    return { host: nodeHost, brokers, stateDir, groupProtocol, heartbeatIntervalMs: 100, ...more }
  }
}

/** Until something holds: asked again whenever the event loop has been around. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = CONSUME_MS_MAX) {
  const until = nodeHost.clock.monotonic() + timeoutMs
  while (!(await holds())) {
    if (nodeHost.clock.monotonic() > until) throw new Error(`it did not happen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Every word's counts are 1, 2, 3 … without a gap or a repetition. */
export function expectExact(
  found: ReadonlyArray<{ readonly key: string; readonly value: number | null }>,
  records: number,
): void {
  expect(found).toHaveLength(records)
  for (const [word, list] of Map.groupBy(found, ({ key }) => key)) {
    expect(
      list.map(({ value }) => value),
      word,
    ).toEqual(list.map((_, at) => at + 1))
  }
}

/**
 * A topic of which old records go: by retention.ms, and by DeleteRecords at any offset. All the while somebody looks at
 * where it starts and what is in it; and when nobody writes any more, all of it goes.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient } from "@millrace/client"
import { logStart } from "../checker/log-start.ts"
import type { Placed } from "../checker/observed.ts"
import type { SimulatedProcess } from "../machine.ts"
import type { SeededRandom } from "../random.ts"
import { BROKER_ADDRESS, type World } from "../world.ts"
import type { Workload } from "./workload.ts"
import { Writer } from "./writer.ts"

const TOPIC = "window"
const PARTITIONS = 2
const RECORDS = 80
const LOOK_MS_MAX = 1_500
const DELETE_MS_MAX = 3_000
const DELETE_ALL_CHANCE = 0.2
const POLL_MS = 300
const ASK_TIMEOUT_MS = 20_000
const decoder = new TextDecoder()

export class Window implements Workload {
  readonly topics
  readonly findings: string[] = []
  readonly #world: World
  readonly #random: SeededRandom
  readonly #durationMs: number
  readonly #retentionMs: number
  readonly #writer = new Writer(PARTITIONS)
  /** By partition. */
  readonly #starts = Array.from({ length: PARTITIONS }, () => 0)
  readonly #deletedTo = Array.from({ length: PARTITIONS }, () => 0)
  readonly #askedTo = Array.from({ length: PARTITIONS }, () => 0)
  #isEmpty = false
  #looks = 0
  #deletes = 0

  constructor(world: World, random: SeededRandom, durationMs: number) {
    this.#world = world
    this.#random = random
    this.#durationMs = durationMs
    this.#retentionMs = random.pick([2_000, 6_000])
    const configs = {
      "cleanup.policy": "delete",
      "retention.ms": String(this.#retentionMs),
      "internal.segment.bytes": random.pick(["20000", "100000"]),
    }
    this.topics = [{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 1, configs }]
  }

  start(): void {
    this.#spawn("window writer", (process) =>
      this.#writer.run(process, this.#random.fork("writer"), {
        name: "w",
        brokers: BROKER_ADDRESS,
        topic: TOPIC,
        partitions: PARTITIONS,
        count: RECORDS,
        durationMs: this.#durationMs,
        silenceMs: 0,
      }),
    )
    this.#spawn("janitor", (process) => this.#delete(process, this.#random.fork("janitor")))
    this.#spawn("window reader", (process) => this.#watch(process, this.#random.fork("reader")))
  }

  get isDone(): boolean {
    return this.#writer.done && this.#isEmpty
  }

  waitsFor(): string[] {
    const { unanswered } = this.#writer
    if (!this.#writer.done) return [`no answer for ${unanswered.length} records of ${TOPIC}, first ${unanswered[0]}`]
    return this.#isEmpty ? [] : [`records of ${TOPIC} are not deleted, it starts at ${this.#starts.join(", ")}`]
  }

  check(): Promise<string[]> {
    return Promise.resolve(this.#writer.failures.map((failure) => `a send failed: ${failure}`))
  }

  get figures(): Record<string, number> {
    return { "window looks": this.#looks, "records deleted": this.#deletes }
  }

  #spawn(name: string, program: (process: SimulatedProcess) => Promise<void>): void {
    const process = this.#world.machine(name).start()
    this.#world.spawn(process, () => program(process))
  }

  #client(host: Host, clientId: string): KafkaClient {
    return new KafkaClient({ host, brokers: BROKER_ADDRESS, clientId, defaultApiTimeoutMs: ASK_TIMEOUT_MS })
  }

  async #delete(host: Host, random: SeededRandom): Promise<void> {
    const admin = this.#client(host, "janitor").admin()
    while (!this.#writer.done) {
      await sleep(host.clock, random.int(DELETE_MS_MAX))
      const part = { topic: TOPIC, partition: random.int(PARTITIONS) }
      const { partition } = part
      try {
        const [end] = await admin.listOffsets([{ ...part, timestamp: -1 }])
        const target = random.chance(DELETE_ALL_CHANCE) ? -1 : random.int(end!.offset + 1)
        // All: whatever is written until it arrives.
        this.#askedTo[partition] = target < 0 ? Infinity : Math.max(this.#askedTo[partition]!, target)
        const [done] = await admin.deleteRecords([{ ...part, offset: target }])
        const { lowWatermark } = done!
        if (lowWatermark < target)
          this.findings.push(`${TOPIC}-${partition} starts at ${lowWatermark} after a deletion up to ${target}`)
        this.#deletedTo[partition] = Math.max(this.#deletedTo[partition]!, lowWatermark)
        if (target < 0) this.#askedTo[partition] = lowWatermark
        this.#deletes++
      } catch {
        // Nobody knows whether it was done.
      }
    }
  }

  async #watch(host: Host, random: SeededRandom): Promise<void> {
    while (!this.#isEmpty) {
      await sleep(host.clock, random.int(LOOK_MS_MAX))
      const client = this.#client(host, "window reader")
      try {
        await this.#look(host, client)
        this.#looks++
      } catch {
        // The broker is away.
      }
      await client.close()
    }
  }

  async #look(host: Host, client: KafkaClient): Promise<void> {
    const isLast = this.#writer.done
    const [acknowledged, deletedTo] = [this.#acknowledged(), [...this.#deletedTo]]
    const consumer = client.consumer({ isolation: "read_uncommitted", autoOffsetReset: "earliest" })
    const parts = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }))
    const starts = await consumer.beginningOffsets(parts)
    const ends = await consumer.endOffsets(parts)
    consumer.assign(parts)
    const seen: Placed[][] = parts.map(() => [])
    while (ends.some((end) => (consumer.position(end) ?? 0) < end.offset)) {
      for (const fetched of await consumer.poll(POLL_MS)) {
        const list = seen[fetched.partition]!
        fetched.forEach((record) => void list.push({ offset: record.offset, value: decoder.decode(record.value()!) }))
      }
    }
    const after = await consumer.beginningOffsets(parts)
    for (const { partition, offset: startBefore } of starts) {
      const look = {
        partition: `${TOPIC}-${partition}`,
        startBefore,
        startAfter: after.find((one) => one.partition === partition)!.offset,
        seen: seen[partition]!,
        acknowledged: acknowledged[partition]!,
        deletedTo: deletedTo[partition]!,
        askedTo: this.#askedTo[partition]!,
        now: host.clock.now(),
        retentionMs: this.#retentionMs,
      }
      this.findings.push(...logStart(look, this.#starts[partition]!))
      this.#starts[partition] = Math.max(startBefore, look.startAfter)
    }
    this.#isEmpty = isLast && ends.every(({ partition, offset }) => this.#starts[partition] === offset)
  }

  #acknowledged() {
    const { acknowledged, sentAt } = this.#writer
    const byPartition = Array.from(
      { length: PARTITIONS },
      () => [] as { offset: number; value: string; timestamp: number }[],
    )
    for (const [value, { partition, offset }] of acknowledged) {
      // A repetition of long ago is acknowledged without its place.
      if (offset >= 0) byPartition[partition]!.push({ offset, value, timestamp: sentAt.get(value)! })
    }
    return byPartition
  }
}

/**
 * Transactions that send to and poll the partitions of one topic, a few of each mixed, committed or aborted, by processes
 * that are killed and taken over. All that they did and were told makes the history that is checked at the end.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { type Consumer, KafkaClient, type Producer } from "@millrace/client"
import { checkHistory } from "../checker/history/check.ts"
import type { MicroOperation, Operation } from "../checker/history/history.ts"
import { read } from "../installation.ts"
import type { SimulatedProcess } from "../machine.ts"
import type { SeededRandom } from "../random.ts"
import { BROKER_ADDRESS, type World } from "../world.ts"
import type { Workload } from "./workload.ts"

const TOPIC = "ledger"
const PARTITIONS = 2
const PROCESSES = 2
const OPERATIONS = 30
const STEPS_MAX = 4
const PAUSE_MS_MAX = 700
const POLL_MS = 200
const RETRY_MS = 100
const ABORT_CHANCE = 0.2
const REPOSITION_CHANCE = 1 / 16
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** An operation while it goes on: as it stands, it is what it was if its process dies now. */
type Entry = { -readonly [Field in keyof Operation]: Operation[Field] } & { readonly steps: MicroOperation[] }

export class Ledger implements Workload {
  readonly topics = [{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 1 }]
  readonly findings: string[] = []
  readonly #world: World
  readonly #random: SeededRandom
  readonly #history: Entry[] = []
  readonly #processes: { readonly process: SimulatedProcess; left: number }[] = []
  #successors = 0

  constructor(world: World, random: SeededRandom) {
    this.#world = world
    this.#random = random
  }

  start(): void {
    for (let index = 0; index < PROCESSES; index++) this.#start(index, OPERATIONS)
  }

  strike(): void {
    const index = this.#random.int(PROCESSES)
    const { process, left } = this.#processes[index]!
    process.kill()
    if (left > 0) this.#start(index, left)
  }

  get isDone(): boolean {
    return this.#processes.every(({ left }) => left === 0)
  }

  waitsFor(): string[] {
    return this.#processes
      .filter(({ left }) => left > 0)
      .map(({ process, left }) => `${process.name} has ${left} transactions of ${TOPIC} to do`)
  }

  async check(): Promise<string[]> {
    const log = await read(this.#world, TOPIC, PARTITIONS, "read_committed")
    if (log === undefined) return [`${TOPIC} could not be read`]
    const steps = log.map((reads, partition) => ({ poll: { key: keyOf(partition), reads } }))
    return checkHistory([...this.#history, { process: "reader", type: "ok", steps, isRepositioned: false }])
  }

  get figures(): Record<string, number> {
    const count = (type: Operation["type"]) => this.#history.filter((operation) => operation.type === type).length
    return { "ledger ok": count("ok"), "ledger fail": count("fail"), "ledger info": count("info") }
  }

  #start(index: number, left: number): void {
    const id = `clerk${index}`
    const name = this.#processes[index] === undefined ? id : `${id}.${++this.#successors}`
    const process = this.#world.machine(id).start(name)
    const state = { process, left }
    this.#processes[index] = state
    const random = this.#random.fork(name)
    this.#world.spawn(process, () => this.#run(process, random, id, state))
  }

  async #run(host: SimulatedProcess, random: SeededRandom, id: string, state: { left: number }): Promise<void> {
    const client = new KafkaClient({ host, brokers: BROKER_ADDRESS, clientId: id })
    const consumer = client.consumer({
      isolation: "read_committed",
      autoOffsetReset: "none",
      maxPollRecords: random.pick([1, 5, 1_000]),
      maxPartitionFetchBytes: random.pick([100, 1_000_000]),
    })
    const parts = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }))
    consumer.assign(parts)
    for (const part of parts) consumer.seek(part, 0)
    const transactionVersionMax = random.pick([1, 2] as const)
    while (state.left > 0) {
      const producer = client.producer({
        transactionalId: id,
        lingerMs: random.int(3),
        batchSize: random.pick([1, 100, 16_384]),
        transactionTimeoutMs: random.pick([3_000, 20_000]),
        transactionVersionMax,
      })
      try {
        await producer.initTransactions()
        for (; state.left > 0; state.left--) {
          await sleep(host.clock, random.int(PAUSE_MS_MAX))
          await this.#operate(host, random, producer, consumer)
        }
      } catch {
        // What is not known of the operation stands in it; whoever comes next takes the id over.
        await sleep(host.clock, RETRY_MS)
      }
      await producer.close().catch(() => {})
    }
    await client.close()
  }

  async #operate(host: Host & { name: string }, random: SeededRandom, producer: Producer, consumer: Consumer) {
    const isRepositioned = random.chance(REPOSITION_CHANCE)
    if (isRepositioned) for (const part of consumer.assignment()) consumer.seek(part, 0)
    const entry: Entry = { process: host.name, type: "fail", steps: [], isRepositioned }
    this.#history.push(entry)
    producer.beginTransaction()
    const sending: Promise<unknown>[] = []
    for (let step = 1 + random.int(STEPS_MAX); step > 0; step--) {
      if (random.chance(0.5)) sending.push(this.#send(random, producer, entry))
      else await poll(consumer, entry)
    }
    if (random.chance(ABORT_CHANCE)) {
      await Promise.allSettled(sending)
      return producer.abortTransaction()
    }
    await Promise.all(sending)
    entry.type = "info"
    await producer.commitTransaction()
    entry.type = "ok"
  }

  async #send(random: SeededRandom, producer: Producer, entry: Entry): Promise<void> {
    const partition = random.int(PARTITIONS)
    const key = keyOf(partition)
    const value = `${entry.process}-${this.#history.length}-${entry.steps.length}`
    const at = entry.steps.push({ send: { key, value, offset: undefined } }) - 1
    const { offset } = await producer.send({ topic: TOPIC, partition, value: encoder.encode(value) })
    entry.steps[at] = { send: { key, value, offset } }
  }
}

/** What comes of a poll is in the history even if a later one fails. */
async function poll(consumer: Consumer, entry: Entry): Promise<void> {
  for (const part of await consumer.poll(POLL_MS)) {
    const reads: { offset: number; value: string }[] = []
    part.forEach((record) => void reads.push({ offset: record.offset, value: decoder.decode(record.value()!) }))
    if (reads.length > 0) entry.steps.push({ poll: { key: keyOf(part.partition), reads } })
  }
}

const keyOf = (partition: number): string => `${TOPIC}-${partition}`

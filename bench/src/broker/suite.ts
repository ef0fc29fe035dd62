/**
 * Suite "broker": Apache Kafka and Millrace under the same clients, none of them ours, in turns.
 *
 * Each round gives each broker a fresh process and data directory, warms it up, and puts every case to it; who begins changes
 * from round to round. The broker has one core and the clients the others, unless told otherwise. A figure counts only if
 * all records were there.
 */
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { type Admin, KafkaClient, OffsetSpec } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { NoKafka } from "@millrace/tools/real-kafka"
import { cpuSecondsOf, peakMbOf, residentMbOf } from "../resources.ts"
import { type BenchBroker, startBroker } from "../start-broker.ts"
import { type BrokerName, isAskedFor, median, type Row, type SuiteOptions } from "../suite.ts"
import { type Case, CASES, type Consume, isUsual, type Produce, type Shape, titleOf, wordsOf } from "./cases.ts"
import { CLIENTS, hasKcat, latencies, type Run, type Target } from "./clients.ts"
import { type Payloads, writePayloads } from "./payloads.ts"

const execute = promisify(execFile)

/** Some seconds of a case. */
const RECORDS: Readonly<Record<Shape["valueBytes"], number>> = { 100: 1_000_000, 1_000: 300_000 }
const REST_MS = 2_000
const GB = 1e9

const WARM_UP: readonly Shape[] = [
  { valueBytes: 100, partitions: 6, codec: "none" },
  { valueBytes: 1_000, partitions: 6, codec: "lz4" },
]

export async function run(options: SuiteOptions): Promise<Row[]> {
  const cases = await possible(
    CASES.filter((one) => isAskedFor(options, wordsOf(one)) && (options.all || options.only || isUsual(one))),
  )
  const peers = (["kafka", "millrace"] as const).filter((name) => options.peers?.includes(name) ?? true)
  const figures = new Figures()
  const directory = mkdtempSync(`${tmpdir()}/millrace-bench-values-`)
  try {
    const payloads = { 100: writePayloads(directory, 100), 1_000: writePayloads(directory, 1_000) }
    for (let round = 0; round < options.rounds; round++) {
      for (const name of round % 2 === 0 ? peers : peers.toReversed()) {
        const broker = await start(name)
        if (broker === undefined) continue
        const subject = new Subject(name, broker, figures, payloads, options)
        try {
          await subject.round(cases)
        } finally {
          await subject.close()
        }
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return figures.rows()
}

async function possible(cases: readonly Case[]): Promise<readonly Case[]> {
  if (!cases.some(({ client }) => client === "kcat") || (await hasKcat())) return cases
  console.error("kcat is not installed, and its cases are left out (Debian's package has its name)")
  return cases.filter(({ client }) => client !== "kcat")
}

/** Undefined where Kafka cannot run. */
async function start(name: BrokerName): Promise<BenchBroker | undefined> {
  try {
    return await startBroker(name)
  } catch (error) {
    if (!(error instanceof NoKafka)) throw error
    console.error(`Apache Kafka is not measured: ${error.message}`)
    return undefined
  }
}

/** All that was measured, in the order in which it first was. */
class Figures {
  readonly #all = new Map<string, { readonly row: Omit<Row, "medians">; readonly samples: Map<string, number[]> }>()

  add(who: string, row: Omit<Row, "medians">, value: number): void {
    const known = this.#all.get(row.what) ?? { row, samples: new Map<string, number[]>() }
    this.#all.set(row.what, known)
    known.samples.set(who, [...(known.samples.get(who) ?? []), value])
  }

  rows(): Row[] {
    return [...this.#all.values()].map(({ row, samples }) => ({
      ...row,
      medians: Object.fromEntries([...samples].map(([who, all]) => [who, median(all)])),
    }))
  }
}

/** One broker during one round. */
class Subject {
  readonly #name: string
  readonly #broker: BenchBroker
  readonly #figures: Figures
  readonly #payloads: Readonly<Record<Shape["valueBytes"], Payloads>>
  readonly #options: SuiteOptions
  readonly #client: KafkaClient
  readonly #admin: Admin
  readonly #pin: readonly string[]
  /** Topics that hold what a case wrote, by what it is. */
  readonly #written = new Map<string, string>()
  #topics = 0

  constructor(
    name: string,
    broker: BenchBroker,
    figures: Figures,
    payloads: Readonly<Record<Shape["valueBytes"], Payloads>>,
    options: SuiteOptions,
  ) {
    this.#name = name
    this.#broker = broker
    this.#figures = figures
    this.#payloads = payloads
    this.#options = options
    this.#client = new KafkaClient({ host: nodeHost, brokers: broker.brokers })
    this.#admin = this.#client.admin()
    const cores = availableParallelism()
    this.#pin = options.unpinned || cores < 2 ? [] : ["taskset", "-c", `1-${cores - 1}`]
  }

  async round(cases: readonly Case[]): Promise<void> {
    if (this.#pin.length > 0) await execute("taskset", ["-a", "-c", "-p", "0", String(this.#broker.pid)])
    await sleep(REST_MS)
    this.#memory("resident memory at rest", residentMbOf(this.#broker.pid))
    for (const shape of WARM_UP) {
      const write: Produce = { action: "produce", client: "java", acks: "acks=all", ...shape }
      await CLIENTS.java.consume({ ...write, action: "consume" }, await this.#write(write))
    }
    // Nothing of the warm-up is read again.
    this.#written.clear()
    for (const one of cases) {
      try {
        if (one.action === "latency") await this.#latency(one.rate)
        else if (one.action === "produce") await this.#produce(one)
        else await this.#consume(one)
      } catch (error) {
        console.error(`${titleOf(one)}: ${this.#name} failed: ${String(error).slice(0, 2_000)}`)
      }
    }
    this.#memory("resident memory under load", peakMbOf(this.#broker.pid))
  }

  async close(): Promise<void> {
    await this.#client.close()
    await this.#broker.stop()
  }

  async #produce(one: Produce): Promise<void> {
    await this.#measured(one, async () => (await this.#write(one)).run)
  }

  async #consume(one: Consume): Promise<void> {
    const topic =
      this.#written.get(keyOf(one)) ?? (await this.#write({ ...one, action: "produce", acks: "acks=all" })).topic
    const target = this.#target(topic, this.#recordsOf(one))
    await this.#measured(one, () => CLIENTS[one.client].consume(one, target))
  }

  async #latency(rate: 1_000 | 10_000): Promise<void> {
    const topic = await this.#createTopic(1)
    const { p50, p99 } = await latencies(this.#target(topic, 0), rate)
    const title = titleOf({ action: "latency", client: "java", rate })
    console.error(`${title}: ${this.#name} p50 ${p50} ms, p99 ${p99} ms`)
    this.#figures.add(this.#name, { what: `${title}, p50`, unit: "ms", moreIsBetter: false }, p50)
    this.#figures.add(this.#name, { what: `${title}, p99`, unit: "ms", moreIsBetter: false }, p99)
  }

  /** A run with the broker's CPU time, which is of all records, those that warmed the client up included. */
  async #measured(one: Produce | Consume, sample: () => Promise<Run>): Promise<void> {
    const before = cpuSecondsOf(this.#broker.pid)
    const { records, seconds } = await sample()
    const cpuSeconds = cpuSecondsOf(this.#broker.pid) - before
    const all = this.#recordsOf(one)
    if (one.action === "consume" && records !== all) {
      console.error(`  WRONG: ${records} records were read where ${all} are`)
      return
    }
    const rate = records / seconds
    const perGb = (cpuSeconds * GB) / (all * one.valueBytes)
    const title = titleOf(one)
    console.error(`${title}: ${this.#name} ${Math.round(rate)}/s, ${perGb.toFixed(2)} CPU s/GB`)
    this.#figures.add(this.#name, { what: title, unit: "records/s", moreIsBetter: true }, rate)
    this.#figures.add(this.#name, { what: `${title}, broker`, unit: "CPU s/GB", moreIsBetter: false }, perGb)
  }

  /** Writes a topic of its own, which must then hold all records. */
  async #write(one: Produce): Promise<Target & { readonly run: Run }> {
    const target = this.#target(await this.#createTopic(one.partitions), this.#recordsOf(one))
    const run = await CLIENTS[one.client].produce(one, target, this.#payloads[one.valueBytes])
    const { topic } = target
    const partitions = Array.from({ length: one.partitions }, (_, partition) => ({ topic, partition }))
    const ends = await this.#admin.listOffsets(partitions.map((each) => ({ ...each, timestamp: OffsetSpec.latest })))
    const written = ends.reduce((sum, { offset }) => sum + offset, 0)
    if (written !== target.records)
      throw new Error(`WRONG: ${written} records are there where ${target.records} were written`)
    this.#written.set(keyOf(one), topic)
    return { ...target, run }
  }

  #target = (topic: string, records: number): Target => ({
    brokers: this.#broker.brokers,
    topic,
    records,
    pin: this.#pin,
  })

  #recordsOf = ({ valueBytes }: Shape): number => this.#options.records ?? RECORDS[valueBytes]

  async #createTopic(partitions: number): Promise<string> {
    const name = `bench-${this.#topics++}`
    await this.#admin.createTopics([{ name, partitions, replicationFactor: 1 }])
    return name
  }

  #memory(what: string, mb: number): void {
    console.error(`${what}: ${this.#name} ${Math.round(mb)} MB`)
    this.#figures.add(this.#name, { what, unit: "MB", moreIsBetter: false }, mb)
  }
}

const keyOf = ({ client, valueBytes, partitions, codec }: Produce | Consume): string =>
  [client, valueBytes, partitions, codec].join(" ")

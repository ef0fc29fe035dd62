/**
 * The streams suite: three processes of the wide pipeline, with state on disk and standby copies, under a steady load.
 * Processes are killed with SIGKILL, brokers too where they are the run's own, and every so often all processes are
 * restarted in order, one after the other. At the end everything drains, and the results are compared with what the
 * input topics ask for. What counts is what stands there: an Apache Kafka that is killed may itself keep a batch of an
 * idempotent producer twice, and both copies are input then. One that is killed between deciding a transaction and writing
 * its markers may also forget the marker of the group's offsets (seen with 4.4.0: completed in the transaction log, never
 * ended in __consumer_offsets): tasks that ask for stable offsets then wait until that producer's next transaction. A long
 * log of offsets it may serve half loaded, which nobody but it can mend: cluster.ts keeps it short.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { checkWide, type WideResult } from "@millrace/simulation/wide/check"
import { wideExpected, type WideExpected } from "@millrace/simulation/wide/expected"
import { type Click, partitionOf, type WideEvent } from "@millrace/simulation/wide/input"
import { INPUTS, type ResultName, RESULTS, topicName } from "@millrace/simulation/wide/pipeline"
import { readLog } from "@millrace/simulation/workload/read-log"
import { type Cluster, startCluster } from "./cluster.ts"
import { Instance } from "./instance.ts"
import { Load } from "./load.ts"
import { Results } from "./results.ts"

export interface StreamsTortureOptions {
  readonly kills: number
  readonly minutes: number | undefined
  readonly brokers: string | undefined
  readonly kafka: boolean
  readonly groupProtocol: string
  readonly keep: boolean
  readonly say: (line: string) => void
}

const PARTITIONS = 4
const PROCESSES = 3
const WRITERS = 2
const EVENTS_PER_SECOND = 400
/** Between two strikes, drawn uniformly. */
const PAUSE_MS_MIN = 500
const PAUSE_MS_MAX = 5_000
const AWAY_MS_MAX = 2_000
/** Most kills meet a process that runs; the others one that is just starting, or restoring. */
const RUNNING_CHANCE = 0.7
const BROKER_CHANCE = 0.2
const ROLLING_CHANCE = 0.12
const RUNNING_MS_MAX = 60_000
/** Without a single new result for so long, what is missing does not come any more. */
const STANDSTILL_MS = 60_000

export async function streamsSuite(options: StreamsTortureOptions): Promise<number> {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-torture-streams-"))
  const cluster = await startCluster({ ...options, directory })
  let passed = false
  const torture = new StreamsTorture(cluster, directory, options)
  try {
    passed = await torture.run()
    return passed ? 0 : 1
  } finally {
    await torture.end()
    await cluster.stop()
    if (passed && !options.keep) rmSync(directory, { recursive: true, force: true })
    else options.say(`data kept in ${directory}`)
  }
}

class StreamsTorture {
  readonly #cluster: Cluster
  readonly #options: StreamsTortureOptions
  readonly #client: KafkaClient
  readonly #application = `torture-${Date.now().toString(36)}`
  readonly #instances: readonly Instance[]
  readonly #results: Results
  readonly #started = performance.now()
  #kills = 0
  #brokerKills = 0
  #rolls = 0

  constructor(cluster: Cluster, directory: string, options: StreamsTortureOptions) {
    this.#cluster = cluster
    this.#options = options
    this.#client = new KafkaClient({ host: nodeHost, brokers: cluster.brokers, clientId: "torture" })
    this.#results = new Results(this.#client, this.#application, PARTITIONS)
    this.#instances = Array.from({ length: PROCESSES }, (_, index) => {
      const name = `process-${index}`
      return new Instance(name, cluster.brokers, path.join(directory, name), this.#application, options.groupProtocol)
    })
  }

  async run(): Promise<boolean> {
    const { say } = this.#options
    const topics = [...INPUTS, ...RESULTS].map((name) => topicName(this.#application, name))
    const admin = this.#client.admin()
    await admin.createTopics(topics.map((name) => ({ name, partitions: PARTITIONS, replicationFactor: -1 })))
    for (const instance of this.#instances) instance.start()
    const following = this.#results.run()
    const load = new Load(this.#client, this.#application, PARTITIONS, WRITERS, EVENTS_PER_SECOND)
    const loading = load.run()
    while (!this.#isOver) await this.#strike()
    load.stop()
    await loading
    const { expected, input } = await this.#expect()
    say(`load stopped: ${input.events} events in the log; waiting for the results`)
    const isDrained = await this.#drain(expected)
    if (!isDrained) for (const { name, state, output } of this.#instances) say([name, state, ...output].join("\n  "))
    for (const instance of this.#instances) await instance.stop()
    // What the last transactions put out, too much of something perhaps, is read to the end.
    const results = await this.#readAll(following)
    const findings = checkWide(results, expected, (id) => partitionOf(id, PARTITIONS))
    const failures = this.#instances.flatMap((instance) => instance.failures)
    for (const line of [...failures, ...findings.examples]) console.error(line)
    const { lost, duplicated, wrong } = findings
    const figures = {
      suite: "streams",
      cluster: this.#cluster.kind,
      groupProtocol: this.#options.groupProtocol,
      kills: this.#kills,
      brokerKills: this.#brokerKills,
      rollingRestarts: this.#rolls,
      seconds: Math.round((performance.now() - this.#started) / 1_000),
      ...input,
      sendFailures: load.failures,
      expected: expected.totals,
      late: expected.late,
      results: Object.values(results).reduce((sum, list) => sum + list.length, 0),
      lost,
      duplicated,
      wrong,
      failedProcesses: failures.length,
    }
    console.log(`RESULT ${JSON.stringify(figures)}`)
    return isDrained && lost + duplicated + wrong + failures.length === 0
  }

  get #isOver(): boolean {
    const { kills, minutes } = this.#options
    if (this.#instances.some(({ failures }) => failures.length > 0)) return true
    if (minutes !== undefined) return performance.now() - this.#started > minutes * 60_000
    return this.#kills + this.#brokerKills >= kills
  }

  async #strike(): Promise<void> {
    await pause(PAUSE_MS_MIN + Math.random() * (PAUSE_MS_MAX - PAUSE_MS_MIN))
    const choice = Math.random()
    if (this.#cluster.crash !== undefined && choice < BROKER_CHANCE) {
      this.#brokerKills++
      await this.#cluster.crash()
      this.#say("broker killed and started")
    } else if (choice < BROKER_CHANCE + ROLLING_CHANCE) await this.#roll()
    else {
      const instance = this.#instances[Math.floor(Math.random() * PROCESSES)]!
      if (Math.random() < RUNNING_CHANCE) await this.#untilRunning(instance)
      const was = instance.state
      await instance.kill()
      this.#kills++
      if (Math.random() < 0.5) await pause(Math.random() * AWAY_MS_MAX)
      instance.start()
      this.#say(`${instance.name} killed while ${was} and started`)
    }
  }

  /** All in order, one after the other, each once the one before it is back. */
  async #roll(): Promise<void> {
    this.#rolls++
    for (const instance of this.#instances) {
      const ms = await instance.stop()
      instance.start()
      await this.#untilRunning(instance)
      this.#say(`${instance.name} stopped in order in ${Math.round(ms)} ms and is ${instance.state} again`)
    }
  }

  async #untilRunning(instance: Instance): Promise<void> {
    const deadline = performance.now() + RUNNING_MS_MAX
    while (instance.state !== "running" && instance.isUp && performance.now() < deadline) await pause(20)
  }

  #say(what: string): void {
    const seconds = Math.round((performance.now() - this.#started) / 1_000)
    this.#options.say(`${seconds} s: ${what}; ${this.#results.count} results`)
  }

  async #expect() {
    const read = async <T>(name: (typeof INPUTS)[number]) => {
      const topic = topicName(this.#application, name)
      const log = await readLog(nodeHost, this.#cluster.brokers, topic, PARTITIONS, "read_uncommitted")
      return log.map((list) => list.map(({ value }) => JSON.parse(value) as T))
    }
    const [events, clicks] = [await read<WideEvent>("events"), await read<Click>("clicks")]
    const all = events.flat()
    const twice = all.length - new Set(all.map(({ id }) => id)).size
    const input = { events: all.length, clicks: clicks.flat().length, inputTwice: twice }
    return { expected: wideExpected(events, clicks), input }
  }

  /** Until all that must be there is. */
  async #drain({ totals }: WideExpected): Promise<boolean> {
    const isDone = () => RESULTS.every((name) => this.#results.countOf(name) >= totals[name])
    for (let before = -1, since = performance.now(); !isDone(); await pause(100)) {
      if (this.#results.count !== before) [before, since] = [this.#results.count, performance.now()]
      if (performance.now() - since > STANDSTILL_MS || !this.#instances.every(({ isUp }) => isUp)) return false
    }
    return true
  }

  async #readAll(following: Promise<void>): Promise<Record<ResultName, WideResult[]>> {
    let total = 0
    for (const name of RESULTS) {
      const topic = topicName(this.#application, name)
      total += (await readLog(nodeHost, this.#cluster.brokers, topic, PARTITIONS, "read_committed")).flat().length
    }
    while (this.#results.count < total) await pause(20)
    this.#results.stop()
    await following
    return this.#results.all()
  }

  async end(): Promise<void> {
    this.#results.stop()
    for (const instance of this.#instances) await instance.kill()
    await this.#client.close()
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

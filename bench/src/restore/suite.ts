/**
 * Suite "restore": a store of n keys on disk, exactly-once. Its process is killed while it works and started again on what
 * it left; then stopped, and started where its state directory was wiped.
 *
 * Millrace and Kafka Streams take turns on the same broker, each with a changelog of its own that was filled before with the
 * same bytes. Both go on with what the round before left, so that only the first start of all fills anything.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { median, type Row, type SuiteOptions } from "../suite.ts"
import { type Launch, nodeLaunch } from "../launch.ts"
import { startBroker } from "../start-broker.ts"
import { javaLaunch } from "../streams/peers.ts"
import { createTopic, faultOf, Feed, fill } from "./data.ts"
import { changelogOf, type Job } from "./job.ts"
import { type Back, committedBy, Instance } from "./process.ts"

const KEYS = 10_000_000
/** Long enough for state to reach the disk while records come in, and not a multiple of how often it does. */
const WORK_MS = 12_000
const LIMIT_MS = 900_000

const PEERS: Readonly<Record<string, (job: Job) => Promise<Launch>>> = {
  millrace: async (job) => nodeLaunch(path.join(import.meta.dirname, "millrace.ts"), job),
  "Kafka Streams": (job) => javaLaunch("millrace.Sums", job),
}

/** What is measured of a start, by the name of its row. */
const MEASURES: ReadonlyArray<{
  readonly what: string
  readonly unit: string
  readonly moreIsBetter: boolean
  readonly of: (round: Round) => number
}> = [
  { what: "killed: spawn to processing", unit: "ms", moreIsBetter: false, of: ({ killed }) => killed.ms },
  {
    what: "killed: changelog records read again",
    unit: "records",
    moreIsBetter: false,
    of: ({ killed }) => killed.told.restored,
  },
  { what: "wiped: spawn to processing", unit: "ms", moreIsBetter: false, of: ({ wiped }) => wiped.ms },
  {
    what: "wiped: restore",
    unit: "records/s",
    moreIsBetter: true,
    of: ({ wiped }) => (wiped.told.restored * 1_000) / wiped.told.ms,
  },
  {
    what: "wiped: restore, with all else until processing",
    unit: "records per CPU second",
    moreIsBetter: true,
    of: ({ wiped }) => wiped.told.restored / wiped.cpuSeconds,
  },
]

interface Round {
  readonly killed: Back
  readonly wiped: Back
}

export async function run(options: SuiteOptions): Promise<Row[]> {
  const keys = options.records ?? KEYS
  const broker = await startBroker(options.broker)
  const client = new KafkaClient({ host: nodeHost, brokers: broker.brokers })
  const applications: Application[] = []
  try {
    for (const name of Object.keys(PEERS)) {
      if (!(options.peers?.includes(name) ?? true)) continue
      applications.push(await Application.prepare(client, broker.brokers, name, keys))
    }
    for (let round = 0; round < options.rounds; round++) for (const one of applications) await one.round()
  } finally {
    for (const one of applications) await one.close()
    await client.close()
    await broker.stop()
  }
  return MEASURES.map(({ what, unit, moreIsBetter, of }) => ({
    what: `${keys} keys, ${what}`,
    unit,
    moreIsBetter,
    medians: Object.fromEntries(
      applications.flatMap(({ name, rounds }) => (rounds.length === 0 ? [] : [[name, median(rounds.map(of))]])),
    ),
  }))
}

class Application {
  readonly name: string
  readonly rounds: Round[] = []
  readonly #client: KafkaClient
  readonly #job: Job
  readonly #keys: number
  readonly #feed: Feed

  private constructor(client: KafkaClient, name: string, job: Job, keys: number) {
    this.#client = client
    this.name = name
    this.#job = job
    this.#keys = keys
    this.#feed = new Feed(client, job.input, keys)
  }

  static async prepare(client: KafkaClient, brokers: string, name: string, keys: number): Promise<Application> {
    const application = `restore-${name.toLowerCase().replaceAll(" ", "-")}`
    const directory = mkdtempSync(path.join(tmpdir(), "millrace-bench-restore-"))
    const job = { brokers, application, input: `${application}-in`, output: `${application}-out`, directory }
    await createTopic(client, job.input, "delete")
    await createTopic(client, job.output, "delete")
    await createTopic(client, changelogOf(job), "compact")
    const started = performance.now()
    await fill(client, changelogOf(job), keys)
    console.error(`${name}: a changelog of ${keys} keys is filled (${seconds(performance.now() - started)})`)
    return new Application(client, name, job, keys)
  }

  async round(): Promise<void> {
    const { application, directory } = this.#job
    const admin = this.#client.admin()
    let instance: Instance | undefined
    const start = async (how: string): Promise<Back> => {
      const before = await committedBy(admin, application)
      this.#feed.on()
      instance = new Instance(await PEERS[this.name]!(this.#job))
      const back = await instance.isBack(admin, application, before, LIMIT_MS)
      const { told, ms, cpuSeconds } = back
      console.error(
        `${this.name}, ${how}: processing after ${seconds(ms)}, ${cpuSeconds.toFixed(1)} s CPU; ` +
          `${told.restored} records read again in ${seconds(told.ms)}`,
      )
      return back
    }
    try {
      rmSync(directory, { recursive: true, force: true })
      const wiped = await start("wiped")
      // What came in meanwhile is worked off before the time counts.
      await instance!.hasCommitted(admin, application, this.#feed.fed, LIMIT_MS)
      await sleep(WORK_MS)
      await instance!.kill()
      const killed = await start("killed")
      this.#feed.off()
      await instance!.hasCommitted(admin, application, this.#feed.fed, LIMIT_MS)
      const fault = await faultOf(this.#client, this.#job.output, this.#keys, this.#feed.fed)
      if (fault === undefined) this.rounds.push({ wiped, killed })
      else console.error(`  WRONG: ${fault}`)
      await instance!.stop()
    } catch (error) {
      console.error(`${this.name} failed: ${String(error)}`)
      await instance?.kill()
    } finally {
      this.#feed.off()
      rmSync(directory, { recursive: true, force: true })
    }
  }

  async close(): Promise<void> {
    await this.#feed.close()
    rmSync(this.#job.directory, { recursive: true, force: true })
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`

/**
 * A compacted topic: its last value of every key survives each cleaning and each crash, and once all is cleaned nothing
 * else is left. Keys belong to writers, which write to them in turn, plainly or in transactions of which some are aborted;
 * now and then a tombstone. All the while somebody reads the table from its start.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient, type Producer } from "@millrace/client"
import { cleanedTable } from "../checker/cleaned-table.ts"
import { latestValues, type TableRow, type Update } from "../checker/latest-values.ts"
import type { SimulatedProcess } from "../machine.ts"
import type { SeededRandom } from "../random.ts"
import { BROKER_ADDRESS, type World } from "../world.ts"
import { readRecords } from "./read-log.ts"
import type { Workload } from "./workload.ts"

const TOPIC = "table"
const PARTITIONS = 2
const WRITERS = 3
const KEYS_PER_WRITER = 4
const UPDATES = 60
const PAUSE_MS_MAX = 350
const LOOK_MS_MAX = 2_000
const FILL_MS = 400
const FILLER = "filler"
const TOMBSTONE_CHANCE = 0.2
const ABORT_CHANCE = 0.25
const OPEN_CHANCE = 0.25
const OPEN_MS = 2_500
const RETRY_MS = 100
const DELIVERY_TIMEOUT_MS = 600_000
const READ_MS_MAX = 240_000
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class Table implements Workload {
  readonly topics
  readonly findings: string[] = []
  readonly #world: World
  readonly #random: SeededRandom
  readonly #updates = new Map<string, Update[]>()
  readonly #deleteRetentionMs: number
  #writersDone = 0
  #looks = 0
  #isClean = false
  #leftOver: string[] = []

  constructor(world: World, random: SeededRandom) {
    this.#world = world
    this.#random = random
    this.#deleteRetentionMs = random.pick([500, 15_000])
    const configs = {
      "cleanup.policy": "compact",
      "internal.segment.bytes": random.pick(["1000", "4000"]),
      "min.cleanable.dirty.ratio": random.pick(["0.01", "0.3"]),
      "delete.retention.ms": String(this.#deleteRetentionMs),
    }
    this.topics = [{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 1, configs }]
  }

  start(): void {
    for (let index = 0; index < WRITERS; index++) {
      const name = `keeper${index}`
      const random = this.#random.fork(name)
      this.#spawn(name, (process) =>
        index === 0 ? this.#write(process, random, name) : this.#transact(process, random, name),
      )
    }
    this.#spawn("table reader", (process) => this.#look(process))
  }

  get isDone(): boolean {
    return this.#isClean
  }

  waitsFor(): string[] {
    if (this.#writersDone < WRITERS) return [`${WRITERS - this.#writersDone} writers of ${TOPIC} are not done`]
    return this.#isClean ? [] : [`${TOPIC} is not cleaned: ${this.#leftOver.slice(0, 3).join("; ")}`]
  }

  async check(): Promise<string[]> {
    const rows = await this.#readAll()
    return rows === undefined ? [`${TOPIC} could not be read`] : latestValues(this.#updates, rows, Infinity, false)
  }

  get figures(): Record<string, number> {
    return { "table looks": this.#looks }
  }

  #spawn(name: string, program: (process: SimulatedProcess) => Promise<void>): void {
    const process = this.#world.machine(name).start()
    this.#world.spawn(process, () => program(process))
  }

  #next(random: SeededRandom, writer: string): Update & { readonly key: string } {
    const key = `${writer}.${random.int(KEYS_PER_WRITER)}`
    let updates = this.#updates.get(key)
    if (updates === undefined) this.#updates.set(key, (updates = []))
    const value = random.chance(TOMBSTONE_CHANCE) ? null : `${key}=${updates.length}`
    const update: Update & { key: string } = { key, value, state: "unknown", settledAt: Infinity }
    updates.push(update)
    return update
  }

  async #write(host: Host, random: SeededRandom, name: string): Promise<void> {
    const client = new KafkaClient({ host, brokers: BROKER_ADDRESS, clientId: name })
    const producer = client.producer({ acks: "all", lingerMs: random.int(5), deliveryTimeoutMs: DELIVERY_TIMEOUT_MS })
    const sending: Promise<void>[] = []
    for (let count = 0; count < UPDATES; count++) {
      if (random.chance(0.5)) await sleep(host.clock, random.int(2 * PAUSE_MS_MAX))
      const update = this.#next(random, name)
      sending.push(producer.send(recordOf(update)).then(() => this.#settle([update], "committed")))
    }
    await Promise.all(sending)
    await client.close()
    this.#writersDone++
  }

  async #transact(host: Host, random: SeededRandom, name: string): Promise<void> {
    const client = new KafkaClient({ host, brokers: BROKER_ADDRESS, clientId: name })
    const transactionVersionMax = random.pick([1, 2] as const)
    // The last one must be known to be committed, or nobody knew what to expect.
    for (let left = UPDATES, isCertain = false; left > 0 || !isCertain;) {
      const producer = client.producer({ transactionalId: name, transactionVersionMax, transactionTimeoutMs: 5_000 })
      try {
        await producer.initTransactions()
        while (left > 0 || !isCertain) {
          await sleep(host.clock, random.int(4 * PAUSE_MS_MAX))
          const updates = Array.from({ length: 1 + random.int(4) }, () => this.#next(random, name))
          left -= updates.length
          isCertain = false
          isCertain = await this.#commit(host, random, producer, updates)
        }
      } catch {
        await sleep(host.clock, RETRY_MS)
      }
      await producer.close().catch(() => {})
    }
    await client.close()
    this.#writersDone++
  }

  /** Whether it was committed rather than aborted. */
  async #commit(host: Host, random: SeededRandom, producer: Producer, updates: readonly (Update & { key: string })[]) {
    this.#settle(updates, "aborted")
    producer.beginTransaction()
    const sending = updates.map((update) => producer.send(recordOf(update)))
    // Long enough for its segment to be closed, and looked at by the cleaner, before it is decided.
    if (random.chance(OPEN_CHANCE)) await sleep(host.clock, OPEN_MS)
    if (random.chance(ABORT_CHANCE)) {
      await Promise.allSettled(sending)
      await producer.abortTransaction()
      return false
    }
    await Promise.all(sending)
    this.#settle(updates, "unknown")
    await producer.commitTransaction()
    this.#settle(updates, "committed")
    return true
  }

  #settle(updates: readonly Update[], state: Update["state"]): void {
    for (const update of updates) {
      update.state = state
      update.settledAt = this.#world.scheduler.nowMs
    }
  }

  async #look(host: Host): Promise<void> {
    while (this.#writersDone < WRITERS) {
      const startedAt = this.#world.scheduler.nowMs
      try {
        const rows = await readTable(host, "read_committed")
        const missesTombstones = this.#world.scheduler.nowMs - startedAt >= this.#deleteRetentionMs
        this.findings.push(...latestValues(this.#updates, rows, startedAt, missesTombstones))
        this.#looks++
      } catch {
        // The broker is away.
      }
      await sleep(host.clock, this.#random.int(LOOK_MS_MAX))
    }
    await this.#fill(host)
  }

  /** Segments roll as long as something is written: then all that was written before can be cleaned. */
  async #fill(host: Host): Promise<void> {
    const client = new KafkaClient({ host, brokers: BROKER_ADDRESS, clientId: FILLER })
    const producer = client.producer({ acks: "all", deliveryTimeoutMs: DELIVERY_TIMEOUT_MS })
    for (;;) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        await producer.send({ topic: TOPIC, partition, key: encoder.encode(FILLER), value: encoder.encode(FILLER) })
      }
      const rows = await readTable(host, "read_uncommitted")
      this.#leftOver = cleanedTable(this.#updates, rows)
      this.#isClean = this.#leftOver.length === 0
      if (this.#isClean) break
      await sleep(host.clock, FILL_MS)
    }
    await client.close()
  }

  async #readAll(): Promise<TableRow[][] | undefined> {
    let rows: TableRow[][] | undefined
    this.#spawn("auditor", async (process) => void (rows = await readTable(process, "read_committed")))
    await this.#world.until(() => rows !== undefined, READ_MS_MAX)
    return rows
  }
}

/** By partition, without what only fills. */
async function readTable(host: Host, isolation: "read_committed" | "read_uncommitted"): Promise<TableRow[][]> {
  const rows = await readRecords(
    host,
    BROKER_ADDRESS,
    TOPIC,
    PARTITIONS,
    isolation,
    (record) => {
      const value = record.value()
      return { key: decoder.decode(record.key()!), value: value && decoder.decode(value) }
    },
    true,
  )
  return rows.map((list) => list.filter(({ key }) => key !== FILLER))
}

function recordOf({ key, value }: Update & { readonly key: string }) {
  const partition = key.charCodeAt(key.length - 1) % PARTITIONS
  return { topic: TOPIC, partition, key: encoder.encode(key), value: value === null ? null : encoder.encode(value) }
}

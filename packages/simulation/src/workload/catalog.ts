/**
 * An operator who creates, deletes, grows and configures topics. What was acknowledged holds from then on, through every
 * crash; what was not is either done or not, and stays so. A topic that is created again has nothing of the one before it.
 */
import type { Host } from "@millrace/host"
import { sleep } from "@millrace/host"
import { KafkaClient } from "@millrace/client"
import type { Admin } from "@millrace/client/admin/admin"
import { type CatalogEntry, catalogMatches } from "../checker/catalog.ts"
import type { SeededRandom } from "../random.ts"
import { BROKER_ADDRESS, DATA_DIR, type World } from "../world.ts"
import type { Workload } from "./workload.ts"

const NAMES = ["catalog-a", "catalog-b", "catalog-c"]
const OPERATIONS = 25
const PAUSE_MS_MAX = 900
const RETRY_MS = 200
const PARTITIONS_MAX = 5
/** A request that waits longer than any outage is never given up and so never overtaken. */
const REQUEST_TIMEOUT_MS = 120_000
const CONFIG = "retention.ms"
const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class Catalog implements Workload {
  readonly topics = []
  readonly findings: string[] = []
  readonly #world: World
  readonly #random: SeededRandom
  /** As it must be. */
  readonly #entries = new Map<string, CatalogEntry>()
  #left = OPERATIONS
  #isDone = false
  #uncertain = 0

  constructor(world: World, random: SeededRandom) {
    this.#world = world
    this.#random = random
  }

  start(): void {
    const process = this.#world.machine("operator").start()
    this.#world.spawn(process, () => this.#operate(process, this.#random.fork("operator")))
  }

  get isDone(): boolean {
    return this.#isDone
  }

  waitsFor(): string[] {
    return this.#isDone ? [] : [`the operator has ${this.#left} changes to make`]
  }

  /** No log is left of what is deleted. */
  check(): Promise<string[]> {
    const findings: string[] = []
    for (const directory of this.#world.brokerDisk.list(DATA_DIR)) {
      const [, name, partition] = /^(catalog-.)-(\d+)$/.exec(directory) ?? []
      if (name === undefined) continue
      const partitions = this.#entries.get(name)?.partitions ?? 0
      if (Number(partition) >= partitions)
        findings.push(`${directory} is on the disk, ${name} has ${partitions} partitions`)
    }
    return Promise.resolve(findings)
  }

  get figures(): Record<string, number> {
    return { changes: OPERATIONS - this.#left, "uncertain changes": this.#uncertain }
  }

  async #operate(host: Host, random: SeededRandom): Promise<void> {
    const options = { host, brokers: BROKER_ADDRESS, clientId: "operator", requestTimeoutMs: REQUEST_TIMEOUT_MS }
    const client = new KafkaClient(options)
    const admin = client.admin()
    for (; this.#left > 0; this.#left--) {
      await sleep(host.clock, random.int(PAUSE_MS_MAX))
      const name = random.pick(NAMES)
      const before = this.#entries.get(name)
      const { after, change } = this.#draw(random, name, before)
      let isCertain = true
      try {
        await change(admin)
      } catch {
        isCertain = false
        this.#uncertain++
      }
      await this.#look(host, admin, name, isCertain ? [after] : [before, after])
      await this.#look(host, admin, random.pick(NAMES))
      if (random.chance(0.3)) await this.#use(host, name)
    }
    for (const name of NAMES) await this.#look(host, admin, name)
    await client.close()
    this.#isDone = true
  }

  #draw(random: SeededRandom, name: string, before: CatalogEntry | undefined) {
    const retention = String(3_600_000 + random.int(1_000))
    if (before === undefined) {
      const partitions = 1 + random.int(3)
      const after: CatalogEntry = { id: undefined, partitions, config: retention }
      const change = (admin: Admin) =>
        admin.createTopics([{ name, partitions, replicationFactor: 1, configs: { [CONFIG]: retention } }])
      return { after, change }
    }
    const choice = random.float()
    if (choice < 0.3) return { after: undefined, change: (admin: Admin) => admin.deleteTopics([name]) }
    if (choice < 0.6 && before.partitions < PARTITIONS_MAX) {
      const count = before.partitions + 1
      return {
        after: { ...before, partitions: count },
        change: (admin: Admin) => admin.createPartitions([{ name, count }]),
      }
    }
    const changes = [{ name: CONFIG, operation: "set", value: retention } as const]
    return {
      after: { ...before, config: retention },
      change: (admin: Admin) => admin.incrementalAlterConfigs([{ type: "topic", name, changes }]),
    }
  }

  /** Until the broker tells how the topic is; it must be one of what it may be. */
  async #look(host: Host, admin: Admin, name: string, allowed = [this.#entries.get(name)]): Promise<void> {
    for (;;) {
      try {
        const [topic] = await admin.describeTopics([name])
        let found: CatalogEntry | undefined
        if (topic !== undefined) {
          const [described] = await admin.describeConfigs([{ type: "topic", name, keys: [CONFIG] }])
          found = { id: topic.topicId, partitions: topic.partitions.length, config: described!.configs[0]!.value ?? "" }
        }
        this.findings.push(...catalogMatches(name, found, allowed))
        if (found === undefined) this.#entries.delete(name)
        else this.#entries.set(name, found)
        return
      } catch {
        await sleep(host.clock, RETRY_MS)
      }
    }
  }

  /** Writes to the topic and reads all of it. */
  async #use(host: Host, name: string): Promise<void> {
    const id = this.#entries.get(name)?.id
    if (id === undefined) return
    const client = new KafkaClient({ host, brokers: BROKER_ADDRESS, clientId: "user" })
    try {
      const producer = client.producer({ acks: "all" })
      const { offset } = await producer.send({ topic: name, partition: 0, value: encoder.encode(id) })
      const consumer = client.consumer({ isolation: "read_uncommitted", autoOffsetReset: "earliest" })
      const part = { topic: name, partition: 0 }
      consumer.assign([part])
      while ((consumer.position(part) ?? 0) <= offset) {
        for (const fetched of await consumer.poll(RETRY_MS)) {
          fetched.forEach((record) => {
            const value = decoder.decode(record.value()!)
            if (value !== id) this.findings.push(`${name} of id ${id} has a record of the topic of id ${value}`)
          })
        }
      }
    } catch {
      // Another time.
    }
    await client.close()
  }
}

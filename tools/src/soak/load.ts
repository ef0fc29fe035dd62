/**
 * The load of a soak: numbers written at a steady rate into a topic whose retention is short; copied exactly once, in
 * transactions of which some are aborted, by groups of both protocols whose members leave and join all the time; read again
 * from source and copies; and a compacted topic beside. A phase begins and ends with no client connected.
 */
import { KafkaClient, OffsetSpec } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { PROTOCOLS } from "@millrace/simulation/workload/consumer-member"
import { Copier } from "../torture/copier.ts"
import { Table, TABLE_CONFIGS } from "../torture/table.ts"
import { Auditor, Numbers } from "./sequence.ts"

const PARTITIONS = 6
const MEMBERS = 3
/** A member of each group leaves, and another joins, as often. */
const CHURN_MS = 7_000
/** Long enough for every reader, short enough for many segments to go. */
const EVENTS_CONFIGS = { "retention.ms": "60000", "segment.ms": "10000" }
const DRAIN_MS_MAX = 120_000
const CLEAN_MS_MAX = 60_000
const POLL_MS = 100

interface Group {
  readonly name: string
  readonly protocol: (typeof PROTOCOLS)[number]
  readonly target: string
  readonly auditor: Auditor
  members: { readonly copier: Copier; readonly done: Promise<void> }[]
}

export class Load {
  readonly #brokers: string
  readonly #perSecond: number
  readonly #numbers = new Numbers(PARTITIONS)
  readonly #source = "soak-events"
  readonly #sourceAuditor = new Auditor("soak-events", PARTITIONS)
  readonly #groups: readonly Group[]
  readonly #tables: Table[] = []
  readonly #copiers: Copier[] = []
  #client: KafkaClient | undefined
  #members = 0
  #end: (() => Promise<void>) | undefined

  constructor(brokers: string, perSecond: number) {
    this.#brokers = brokers
    this.#perSecond = perSecond
    this.#groups = PROTOCOLS.map((protocol) => {
      const target = `soak-${protocol}-copies`
      return { name: `soak-${protocol}`, protocol, target, auditor: new Auditor(target, PARTITIONS), members: [] }
    })
  }

  get written(): number {
    return this.#numbers.written
  }

  get audited(): number {
    return this.#auditors.reduce((sum, { audited }) => sum + audited, 0)
  }

  get commits(): number {
    return this.#copiers.reduce((sum, { commits }) => sum + commits, 0)
  }

  get aborts(): number {
    return this.#copiers.reduce((sum, { aborts }) => sum + aborts, 0)
  }

  get joins(): number {
    return this.#members
  }

  get #auditors(): Auditor[] {
    return [this.#sourceAuditor, ...this.#groups.map(({ auditor }) => auditor)]
  }

  async createTopics(): Promise<void> {
    const names = [this.#source, ...this.#groups.map(({ target }) => target)]
    const topics = names.map((name) => ({
      name,
      partitions: PARTITIONS,
      replicationFactor: 1,
      configs: EVENTS_CONFIGS,
    }))
    const client = this.#newClient()
    await client.admin().createTopics(topics)
    await client.close()
  }

  /** Starts a phase; rejects when what runs in it fails. */
  async begin(): Promise<void> {
    const client = this.#newClient()
    this.#client = client
    const tableTopic = `soak-table-${this.#tables.length}`
    const topic = { name: tableTopic, partitions: PARTITIONS, replicationFactor: 1, configs: TABLE_CONFIGS }
    await client.admin().createTopics([topic])
    const table = new Table(client, this.#brokers, tableTopic, PARTITIONS)
    this.#tables.push(table)
    let isWriting = true
    let isReading = true
    const writing = this.#numbers.write(client, this.#source, this.#perSecond, () => !isWriting)
    const reading = this.#auditors.map((auditor) => auditor.read(client, () => !isReading))
    const keeping = table.run()
    for (const group of this.#groups) while (group.members.length < MEMBERS) this.#join(group)
    const churning = this.#churn(() => !isWriting)
    this.#end = async () => {
      isWriting = false
      await writing
      await churning
      await this.#drain()
      isReading = false
      table.stop()
      await Promise.all([...reading, keeping, ...this.#groups.map((group) => this.#leaveAll(group))])
    }
  }

  /** Ends the phase once all that was written was read, and lets go of every connection. */
  async end(): Promise<void> {
    await this.#end!()
    await this.#client!.close()
  }

  /** After the last phase: what is not as it has to be. */
  async findings(): Promise<string[]> {
    const client = this.#newClient()
    const found = this.#auditors.flatMap((auditor) => [...auditor.findings, ...auditor.lacking(this.#numbers.next)])
    for (const [index, table] of this.#tables.entries()) {
      const cleaned = await table.check(CLEAN_MS_MAX, client)
      found.push(...cleaned.slice(0, 10).map((what) => `table ${index}: ${what}`))
    }
    await client.close()
    return found
  }

  async #churn(over: () => boolean): Promise<void> {
    for (let last = performance.now(); !over(); await pause(POLL_MS)) {
      if (performance.now() - last < CHURN_MS) continue
      last = performance.now()
      for (const group of this.#groups) {
        const leaver = group.members.shift()!
        leaver.copier.stop()
        await leaver.done
        this.#join(group)
      }
    }
  }

  #join(group: Group): void {
    const { name, protocol, target } = group
    const options = {
      name: `${name}-${this.#members++}`,
      brokers: this.#brokers,
      group: name,
      protocol,
      source: this.#source,
      target,
      targetPartition: (_: string, partition: number) => partition,
    }
    const copier = new Copier(this.#client!, options, { add: () => undefined })
    this.#copiers.push(copier)
    group.members.push({ copier, done: copier.run() })
  }

  async #leaveAll(group: Group): Promise<void> {
    for (const { copier } of group.members) copier.stop()
    await Promise.all(group.members.map(({ done }) => done))
    group.members = []
  }

  /** Waits until everything was copied and read again; what lacks then is found out later. */
  async #drain(): Promise<void> {
    const deadline = performance.now() + DRAIN_MS_MAX
    const admin = this.#client!.admin()
    const parts = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: this.#source, partition }))
    while (performance.now() < deadline) {
      const ends = await admin.listOffsets(parts.map((part) => ({ ...part, timestamp: OffsetSpec.latest })))
      const committed = await Promise.all(this.#groups.map(({ name }) => admin.listGroupOffsets(name).catch(() => [])))
      const isCopied = committed.every((offsets) =>
        ends.every(({ partition, offset }) =>
          offsets.some((one) => one.topic === this.#source && one.partition === partition && one.offset >= offset),
        ),
      )
      if (isCopied && this.#auditors.every((auditor) => auditor.isAt(this.#numbers.next))) return
      await pause(POLL_MS)
    }
  }

  #newClient(): KafkaClient {
    return new KafkaClient({ host: nodeHost, brokers: this.#brokers, clientId: "soak" })
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

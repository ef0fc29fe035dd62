/**
 * The store in a compacted topic of one partition: `_schemas`.
 *
 * One loop polls the partition from its beginning and hands each record on; `append` produces with acks=all and waits
 * until that loop has passed the record's offset. The topic is made when it is missing; one that is not compacted, or has
 * more partitions, is refused, because it would lose schemas or their order.
 *
 * The loop outlives faults of the cluster: it backs off and polls again, while appends time out with 50002.
 */
import { type Admin, type Consumer, type KafkaClient, OffsetSpec, type Producer } from "@millrace/client"
import { type Clock, sleep, type Timer } from "@millrace/host"
import { reasonOf } from "@millrace/schema/explain"
import { decodeRecord, encodeKey, encodeValue, type RegistryRecord } from "../record/record.ts"
import { type RegistryStore, StoreError } from "./store.ts"

export interface KafkaStoreOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly topic: string
  readonly replicationFactor: number
  readonly initTimeoutMs: number
  readonly timeoutMs: number
  /** Told of records that cannot be read, which are passed over, and of faults that are waited out. */
  readonly warn: (message: string) => void
}

const POLL_MS = 1_000
const BACKOFF_MS = 100
const BACKOFF_MAX_MS = 5_000
/** How long a batch waits for a second record: writes are few and someone waits for each. */
const LINGER_MS = 0

interface Waiter {
  /** Resolved when the position is at least this. */
  readonly offset: number
  readonly timer: Timer
  resolve(): void
  reject(error: StoreError): void
}

export class KafkaStore implements RegistryStore {
  clusterId = ""
  readonly #options: KafkaStoreOptions
  readonly #admin: Admin
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #waiters = new Set<Waiter>()
  #position = 0
  #closed = false
  #loop: Promise<void> = Promise.resolve()
  #lastFault: unknown

  constructor(options: KafkaStoreOptions) {
    this.#options = options
    this.#admin = options.client.admin()
    this.#producer = options.client.producer({
      acks: "all",
      lingerMs: LINGER_MS,
      deliveryTimeoutMs: options.timeoutMs,
      allowAutoTopicCreation: false,
    })
    this.#consumer = options.client.consumer({ isolation: "read_uncommitted", autoOffsetReset: "earliest" })
  }

  async open(replay: (record: RegistryRecord) => void): Promise<void> {
    const { topic, initTimeoutMs } = this.#options
    await this.#ensureTopic()
    this.#consumer.assign([this.#partition])
    this.#consumer.seek(this.#partition, 0)
    this.#loop = this.#read(replay)
    await this.#reached(await this.#end(initTimeoutMs), initTimeoutMs, `reading ${topic}`)
  }

  async catchUp(): Promise<void> {
    const { topic, timeoutMs } = this.#options
    await this.#reached(await this.#end(timeoutMs), timeoutMs, `reading on to the end of ${topic}`)
  }

  async append(records: readonly RegistryRecord[]): Promise<void> {
    const { topic, timeoutMs } = this.#options
    let last: number
    try {
      const sent = await Promise.all(
        records.map((record) =>
          this.#producer.send({ ...this.#partition, key: encodeKey(record), value: encodeValue(record) }),
        ),
      )
      last = Math.max(...sent.map(({ offset }) => offset))
    } catch (cause) {
      throw new StoreError(`writing to ${topic} failed: ${reasonOf(cause)}`, { cause })
    }
    await this.#reached(last + 1, timeoutMs, `reading back what was written to ${topic}`)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.allSettled([this.#consumer.close(), this.#producer.close(), this.#admin.close()])
    await this.#loop
    for (const waiter of this.#waiters) {
      waiter.timer.cancel()
      waiter.reject(new StoreError("the registry was closed"))
    }
    this.#waiters.clear()
  }

  get #partition() {
    return { topic: this.#options.topic, partition: 0 }
  }

  async #ensureTopic(): Promise<void> {
    const { topic: name, replicationFactor, initTimeoutMs } = this.#options
    const cluster = await this.#admin.describeCluster()
    this.clusterId = cluster.clusterId ?? ""
    let [topic] = await this.#admin.describeTopics([name])
    if (!topic) {
      const created = {
        name,
        partitions: 1,
        replicationFactor: Math.max(1, Math.min(replicationFactor, cluster.nodes.length)),
        configs: { "cleanup.policy": "compact" },
      }
      await this.#admin.createTopics([created], { ifNotExists: true, timeoutMs: initTimeoutMs })
      ;[topic] = await this.#admin.describeTopics([name])
    }
    const count = topic?.partitions.length ?? 0
    if (count !== 1) throw new StoreError(`the topic ${name} has ${count} partitions; the registry needs one`)
    const [described] = await this.#admin.describeConfigs([{ type: "topic", name, keys: ["cleanup.policy"] }])
    const policy = described?.configs.find((config) => config.name === "cleanup.policy")?.value
    if (policy !== "compact") {
      throw new StoreError(
        `the topic ${name} has cleanup.policy=${policy}; the registry needs compact, or loses schemas`,
      )
    }
  }

  async #end(timeoutMs: number): Promise<number> {
    const what = `asking for the end of ${this.#options.topic}`
    const asked = this.#admin.listOffsets([{ ...this.#partition, timestamp: OffsetSpec.latest }])
    try {
      const [end] = await this.#within(timeoutMs, what, asked)
      return end!.offset
    } catch (cause) {
      if (cause instanceof StoreError) throw cause
      throw new StoreError(`${what} failed: ${reasonOf(cause)}`, { cause })
    }
  }

  /** The client tries for longer than someone waits for us. */
  #within<T>(timeoutMs: number, what: string, asked: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.setTimer(timeoutMs, () => reject(tookLonger(what, timeoutMs, this.#lastFault)))
      asked.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  async #read(replay: (record: RegistryRecord) => void): Promise<void> {
    const { clock, topic, warn } = this.#options
    let backoffMs = BACKOFF_MS
    while (!this.#closed) {
      try {
        for (const fetched of await this.#consumer.poll(POLL_MS)) {
          fetched.forEach((record) => this.#deliver(record.offset, record.key(), record.value(), replay))
          this.#advance(fetched.nextOffset)
        }
        backoffMs = BACKOFF_MS
        this.#lastFault = undefined
      } catch (cause) {
        if (this.#closed) return
        this.#lastFault = cause
        warn(`reading ${topic} failed, trying again in ${backoffMs} ms: ${reasonOf(cause)}`)
        await sleep(clock, backoffMs)
        backoffMs = Math.min(BACKOFF_MAX_MS, backoffMs * 2)
      }
    }
  }

  #deliver(
    offset: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    replay: (record: RegistryRecord) => void,
  ): void {
    // Records before the position were delivered before a fault made us poll them again.
    if (offset < this.#position) return
    try {
      const record = key && decodeRecord(textOf(key), value && textOf(value))
      if (record) replay(record)
    } catch (cause) {
      this.#options.warn(`${this.#options.topic} offset ${offset} is not a record of a registry: ${reasonOf(cause)}`)
    }
    this.#advance(offset + 1)
  }

  #advance(position: number): void {
    this.#position = Math.max(this.#position, position)
    for (const waiter of this.#waiters) {
      if (waiter.offset > this.#position) continue
      this.#waiters.delete(waiter)
      waiter.timer.cancel()
      waiter.resolve()
    }
  }

  #reached(offset: number, timeoutMs: number, what: string): Promise<void> {
    if (this.#position >= offset) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.setTimer(timeoutMs, () => {
        this.#waiters.delete(waiter)
        reject(tookLonger(what, timeoutMs, this.#lastFault))
      })
      const waiter: Waiter = { offset, timer, resolve, reject }
      this.#waiters.add(waiter)
    })
  }
}

const tookLonger = (what: string, timeoutMs: number, fault: unknown): StoreError =>
  new StoreError(`${what} took longer than ${timeoutMs} ms${fault === undefined ? "" : `: ${reasonOf(fault)}`}`, {
    cause: fault,
    isTimeout: true,
  })

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8")

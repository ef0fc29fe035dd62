/**
 * Keeps a process's global tables and stores: reads their topics, all partitions and without a group, first to the end of
 * then, and only after that may records be processed; then on and on beside the tasks.
 *
 * What the engine has from an earlier run is read on from its positions, unless it is of another topic of that name, has
 * left the log, is older than the topic keeps deletions, was a table's where a store is now or the other way round, or was
 * not checked where rows may be passed over now (state/unreadable-rows.ts): then it starts over.
 *
 * Rows of a global store are what its function makes of records (state/global-processor.ts), and the position moves with each
 * of them: what is written to the engine when one fails has all records before it once, and nothing of it.
 */
import type { Consumer, FetchedPartition, KafkaClient } from "@millrace/client"
import type { Clock } from "@millrace/host"
import { RecordReader } from "@millrace/protocol/record/record"
import { StateError } from "../errors.ts"
import { FLUSH_LIMITS, type FlushLimits } from "../state/committed.ts"
import type { StateEngines } from "../state/engine.ts"
import { type UnreadableRows, unreadableRows } from "../state/unreadable-rows.ts"
import { GlobalProcessor } from "../state/global-processor.ts"
import { GlobalStore } from "../state/global-store.ts"
import type { PartitionCounts } from "../topology/partitions.ts"
import type { GlobalStoreSpec, Topology } from "../topology/topology.ts"
import type { KafkaReader } from "./kafka-reader.ts"
import { partitionName, type TopicPartition } from "./ports.ts"
import type { SerdeLookup } from "./serdes.ts"

export interface GlobalTablesOptions {
  readonly topology: Topology
  readonly partitions: PartitionCounts
  readonly client: KafkaClient
  readonly cluster: KafkaReader
  readonly engines: StateEngines
  readonly serde: SerdeLookup
  readonly clock: Clock
  readonly isolation: "read_committed" | "read_uncommitted"
  readonly deleteRetentionMs: number
  /** All of a global table is in one engine, and each worker thread has its own: two would write over each other. */
  readonly worker: number
  readonly flushLimits?: FlushLimits
  readonly log: (message: string) => void
  /** A table cannot be read any more: the run must end. */
  readonly onFailure: (cause: unknown) => void
}

const POLL_MS = 200

export class GlobalTables {
  readonly stores: ReadonlyMap<string, GlobalStore>
  readonly #options: GlobalTablesOptions
  readonly #topics = new Map<string, GlobalStore>()
  /** By topic, of tables whose records may be passed over. */
  readonly #unreadable = new Map<string, UnreadableRows>()
  /** By topic, of global stores. */
  readonly #processors = new Map<string, GlobalProcessor>()
  #consumer: Consumer | undefined
  #reading: Promise<void> = Promise.resolve()
  #isClosing = false

  constructor(options: GlobalTablesOptions) {
    this.#options = options
    const { topology, engines, serde, flushLimits, worker } = options
    const stores = new Map<string, GlobalStore>()
    for (const spec of topology.globals) {
      const bound: GlobalStoreSpec = {
        ...spec,
        key: serde(spec.key, spec.changelog, true),
        value: serde(spec.value, spec.changelog, false),
      }
      const store = new GlobalStore(bound, engines.open(spec.name, worker), flushLimits ?? FLUSH_LIMITS)
      stores.set(spec.name, store)
      this.#topics.set(spec.topic, store)
      if (spec.node.kind === "global-store") {
        const { node } = spec
        const { log } = options
        this.#processors.set(
          spec.topic,
          new GlobalProcessor({ pipeline: topology.plan.pipeline, node, store, serde, log }),
        )
        continue
      }
      const unreadable = unreadableRows(topology, bound, options.log)
      if (unreadable === undefined) continue
      this.#unreadable.set(spec.topic, unreadable)
      store.isChecked = true
    }
    this.stores = stores
  }

  /** Records that were passed over since the start. */
  get skipped(): number {
    const readers = [...this.#unreadable.values(), ...this.#processors.values()]
    return readers.reduce((sum, { failures }) => sum + failures.skipped, 0)
  }

  /** Resolves when every table has what its topic held when this was called. */
  async start(): Promise<void> {
    if (this.#topics.size === 0) return
    const { client, cluster, isolation } = this.#options
    const all = [...this.#topics.keys()].flatMap((topic) => this.#partitionsOf(topic))
    const [beginnings, ends] = [await cluster.beginningOffsets(all), await cluster.readableEnds(all)]
    for (const [topic, store] of this.#topics) await this.#check(topic, store, beginnings)
    this.#consumer = client.consumer({ isolation, autoOffsetReset: "earliest" })
    this.#consumer.assign(all)
    for (const one of all) {
      const position = this.#topics.get(one.topic)!.position(one.partition) ?? beginnings.get(partitionName(one)) ?? 0
      this.#topics.get(one.topic)!.moveTo(one.partition, position)
      this.#consumer.seek(one, position)
    }
    const isBehind = ({ topic, partition }: TopicPartition) =>
      this.#topics.get(topic)!.position(partition)! < (ends.get(partitionName({ topic, partition })) ?? 0)
    while (all.some(isBehind)) await this.#turn()
    this.#reading = this.#readOn()
  }

  #partitionsOf(topic: string): TopicPartition[] {
    const count = this.#options.partitions.get(topic) ?? 0
    return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
  }

  async #check(topic: string, store: GlobalStore, beginnings: ReadonlyMap<string, number>): Promise<void> {
    const { cluster, clock, deleteRetentionMs } = this.#options
    const checkpoint = store.committed.engine.checkpoint()
    const isKnown =
      checkpoint !== undefined &&
      checkpoint.topicId === (await cluster.topicId(topic)) &&
      clock.now() - checkpoint.writtenAt < deleteRetentionMs
    const hasLeft = (one: TopicPartition) =>
      (store.position(one.partition) ?? 0) < (beginnings.get(partitionName(one)) ?? 0)
    if (!isKnown || store.isOfOtherKind || store.hasUnchecked || this.#partitionsOf(topic).some(hasLeft))
      await store.clear()
  }

  async #readOn(): Promise<void> {
    try {
      while (!this.#isClosing) await this.#turn()
    } catch (cause) {
      if (!this.#isClosing) this.#options.onFailure(cause)
    }
  }

  async #turn(): Promise<void> {
    for (const fetched of await this.#consumer!.poll(POLL_MS)) await this.#apply(fetched)
    const now = this.#options.clock.now()
    for (const [topic, store] of this.#topics) {
      if (!store.committed.isDue(now)) continue
      await this.#flush(topic, store)
      if (store.committed.isFull) await store.committed.settle()
    }
  }

  async #apply(fetched: FetchedPartition): Promise<void> {
    const processor = this.#processors.get(fetched.topic)
    if (processor !== undefined) return await this.#process(fetched, processor)
    const store = this.#topics.get(fetched.topic)!
    const unreadable = this.#unreadable.get(fetched.topic)
    const { partition } = fetched
    const from = store.position(partition) ?? 0
    for (const batch of fetched.batches) {
      const reader = new RecordReader(batch)
      while (reader.next()) {
        const key = reader.offset < from ? null : reader.key()
        if (key === null) continue
        const value = reader.value()
        if (unreadable !== undefined && value !== null) {
          const isPassedOver = unreadable.has({ partition, offset: reader.offset, key, value })
          if (isPassedOver === true || (isPassedOver !== false && (await isPassedOver))) continue
        }
        store.restore(key, value, reader.timestamp, store.headersToKeep(reader))
      }
    }
    store.moveTo(partition, fetched.nextOffset)
  }

  async #process(fetched: FetchedPartition, processor: GlobalProcessor): Promise<void> {
    const store = this.#topics.get(fetched.topic)!
    const { partition } = fetched
    const from = store.position(partition) ?? 0
    for (const batch of fetched.batches) {
      const reader = new RecordReader(batch)
      while (reader.next()) {
        const { offset, timestamp } = reader
        if (offset < from) continue
        const headers = reader.headers()
        const later = processor.apply({
          partition,
          offset,
          timestamp,
          headers,
          key: reader.key(),
          value: reader.value(),
        })
        if (later !== undefined) await later
        store.moveTo(partition, offset + 1)
      }
    }
    store.moveTo(partition, fetched.nextOffset)
  }

  async #flush(topic: string, store: GlobalStore): Promise<void> {
    const { cluster, clock } = this.#options
    store.flush({ topicId: await cluster.topicId(topic), writtenAt: clock.now() })
  }

  /** Writes what was read to the engines. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#reading
    await this.#consumer?.close()
    for (const [topic, store] of this.#topics) {
      await store.committed.settle()
      await this.#flush(topic, store)
      await store.committed.settle().catch((cause: unknown) => {
        throw new StateError(`global table "${store.spec.name}" could not be written: ${String(cause)}`, { cause })
      })
    }
  }
}

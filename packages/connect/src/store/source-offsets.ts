/**
 * The offsets of all sources, in a compacted topic in Kafka Connect's format.
 */
import type { Admin, KafkaClient, Producer } from "@millrace/client"
import type { Clock } from "@millrace/host"
import type { WorkerSettings } from "../config/resolve.ts"
import type { SourceOffset, SourcePartition } from "../data/record.ts"
import { offsetKey, offsetValue, partitionName, readOffset, type StoredOffset } from "./source-offset.ts"
import { TopicLog } from "./topic-log.ts"
import type { Topics } from "./topics.ts"

export class SourceOffsets {
  readonly #topic: string
  readonly #clock: Clock
  readonly #log: TopicLog
  readonly #offsets = new Map<string, Map<string, StoredOffset>>()

  private constructor(client: KafkaClient, admin: Admin, clock: Clock, worker: WorkerSettings) {
    this.#clock = clock
    this.#topic = worker["offset.storage.topic"]
    this.#log = new TopicLog(client, admin, this.#topic, (key, value) => {
      const stored = readOffset(key, value)
      if (stored) this.applied(stored.connector, stored.partition, stored.offset)
    })
  }

  static async open(
    client: KafkaClient,
    admin: Admin,
    clock: Clock,
    worker: WorkerSettings,
    topics: Topics,
  ): Promise<SourceOffsets> {
    await topics.ensure(worker["offset.storage.topic"], {
      partitions: worker["offset.storage.partitions"],
      replicationFactor: worker["offset.storage.replication.factor"],
      configs: { "cleanup.policy": "compact" },
    })
    const offsets = new SourceOffsets(client, admin, clock, worker)
    await offsets.#log.open()
    return offsets
  }

  /** Takes in everything that has been committed by anybody. */
  refresh(): Promise<void> {
    return this.#log.refresh()
  }

  get(connector: string, partition: SourcePartition): SourceOffset | undefined {
    return this.#offsets.get(connector)?.get(partitionName(partition))?.offset ?? undefined
  }

  all(connector: string): StoredOffset[] {
    return [...(this.#offsets.get(connector)?.values() ?? [])]
  }

  /** Queues an offset, in the producer's transaction if it has one. */
  append(producer: Producer, connector: string, partition: SourcePartition, offset: SourceOffset | null): void {
    producer.append(this.#topic, -1, this.#clock.now(), offsetKey(connector, partition), offsetValue(offset))
  }

  /** An offset that is in the topic, committed. */
  applied(connector: string, partition: SourcePartition, offset: SourceOffset | null): void {
    const partitions = this.#offsets.get(connector) ?? new Map<string, StoredOffset>()
    const name = partitionName(partition)
    if (offset === null) partitions.delete(name)
    else partitions.set(name, { connector, partition, offset })
    this.#offsets.set(connector, partitions)
  }

  close(): Promise<void> {
    return this.#log.close()
  }
}

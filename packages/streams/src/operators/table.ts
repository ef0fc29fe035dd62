/**
 * table: a topic as the latest value per key.
 *
 * State: a key-value store named after the topic (or as `store` says), with its own changelog.
 * Time: each row has its record's timestamp; the latest offset wins, whatever its timestamp (Kafka Streams' unversioned
 * table). Null keys are dropped and counted; a tombstone deletes the row.
 */
import { isAbsent, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Table, tableOf } from "../dsl/stream.ts"
import type { Topic } from "../dsl/topic.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { makeNode, type StoreKeeping, storeKeeping, type StoreSpec } from "../topology/node.ts"
import { copyOf, type Operator, Processor } from "./operator.ts"
import { type SourceOptions, sourceNode } from "./source.ts"

const tableOperator: Operator = { kind: "table", make: (node, context) => new TableSource(node, context) }

export interface TableOptions<K = any, V = any> extends SourceOptions<K, V>, StoreKeeping {
  /** Of the rows; default: the topic's name. */
  readonly store?: string
}

export function table<K, V>(topic: Topic<K, V>, options: TableOptions<K, V> = {}): Table<K, V> {
  const { key, value } = topic
  const store: StoreSpec = {
    name: options.store ?? topic.name,
    kind: "key-value",
    key,
    value,
    ...storeKeeping(options),
  }
  return tableOf(
    makeNode({
      operator: tableOperator,
      inputs: [sourceNode(topic, options)],
      options: { topic: topic.name },
      stores: [store],
    }),
  )
}

/** Upserts a stream into the store of its node. */
export class TableSource extends Processor {
  readonly #store = this.context.store(this.node.stores[0]!.name) as KeyValueStore

  receive(record: StreamRecord): void {
    const { key, value, timestamp } = record
    if (isAbsent(key)) return this.context.drop("null-key", record)
    const kept = isAbsent(value) ? undefined : value
    const old = this.node.needsOld ? copyOf(this.node, this.#store.get(key).value) : TOMBSTONE
    this.#store.put(key, kept, timestamp)
    this.next.receive(record.change(key, kept ?? TOMBSTONE, old, timestamp))
  }
}

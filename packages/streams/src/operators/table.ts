/**
 * table: a topic as the latest value per key.
 *
 * State: a key-value store named after the topic (or as `store` says), with its own changelog; with `versioned` a versioned
 * one.
 * Time: each row has its record's timestamp; the latest offset wins, whatever its timestamp. In a versioned table it is the
 * latest timestamp: see versioned-table.ts. Null keys are dropped and counted; a tombstone deletes the row.
 */
import { isAbsent, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Table, tableOf } from "../dsl/stream.ts"
import type { Topic } from "../dsl/topic.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { makeNode, type StoreKeeping, storeKeeping, type StoreSpec } from "../topology/node.ts"
import type { TaskContext } from "../task/context.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { copyOf, type Operator, Processor } from "./operator.ts"
import { type SourceOptions, sourceNode } from "./source.ts"
import { tableKind, type VersionedOptions, VersionedTableSource } from "./versioned-table.ts"

const tableOperator: Operator = { kind: "table", make: makeTableSource }

export interface TableOptions<K = any, V = any> extends SourceOptions<K, V>, StoreKeeping, VersionedOptions {
  /** Of the rows; default: the topic's name. */
  readonly store?: string
}

export function table<K, V>(topic: Topic<K, V>, options: TableOptions<K, V> = {}): Table<K, V> {
  const { key, value } = topic
  const store: StoreSpec = {
    name: options.store ?? topic.name,
    ...tableKind(`table "${topic.name}"`, options),
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

export function makeTableSource(node: PhysicalNode, context: TaskContext): Processor {
  return node.stores[0]!.kind === "versioned" ? new VersionedTableSource(node, context) : new TableSource(node, context)
}

/** Upserts a stream into the store of its node. */
class TableSource extends Processor {
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

/**
 * table: a topic as the latest value per key.
 *
 * State: a key-value store named after the topic (or as `store` says), with its own changelog; with `versioned` a versioned
 * one; with `ttl` timers beside it that let rows go.
 * Time: each row has its record's timestamp; the latest offset wins, whatever its timestamp. In a versioned table it is the
 * latest timestamp: see versioned-table.ts. Null keys are dropped and counted; a tombstone deletes the row.
 */
import { type Table, tableOf } from "../dsl/stream.ts"
import type { Topic } from "../dsl/topic.ts"
import { makeNode } from "../topology/node.ts"
import type { Operator } from "./operator.ts"
import { type SourceOptions, sourceNode } from "./source.ts"
import { makeTableSource, type TableStoreOptions, tableStores } from "./table-store.ts"

const tableOperator: Operator = { kind: "table", keepsHeaders: true, make: makeTableSource }

export interface TableOptions<K = any, V = any> extends SourceOptions<K, V>, TableStoreOptions {
  /** Of the rows; default: the topic's name. */
  readonly store?: string
}

export function table<K, V>(topic: Topic<K, V>, options: TableOptions<K, V> = {}): Table<K, V> {
  const { key, value } = topic
  const rows = { name: options.store ?? topic.name, key, value }
  const { stores, ...history } = tableStores(`table "${topic.name}"`, rows, options)
  return tableOf(
    makeNode({
      operator: tableOperator,
      inputs: [sourceNode(topic, options)],
      options: { topic: topic.name, ...history },
      stores,
    }),
  )
}

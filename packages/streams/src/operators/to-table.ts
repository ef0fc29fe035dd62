/**
 * toTable: a stream as the latest value per key.
 *
 * State: a key-value store under the operator's name, with its changelog; with `versioned` a versioned one, with `ttl` timers
 * beside it. Time: each row has its record's timestamp; the record that is processed last wins, whatever its timestamp. In a
 * versioned table it is the latest timestamp: see versioned-table.ts.
 * Key: it depends on it, so that a changed key is repartitioned. Null keys are dropped and counted; a tombstone, or null
 * from a callback, deletes the row.
 */
import type { Serde } from "@millrace/schema"
import { type Stream, streamNode, type Table, tableOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import type { Operator } from "./operator.ts"
import { makeTableSource, type TableStoreOptions, tableStores } from "./table-store.ts"

const toTableOperator: Operator = {
  kind: "to-table",
  keyDependent: true,
  keepsHeaders: true,
  make: makeTableSource,
}

export function toTable<K, V, R>(
  name: string,
  options: TableStoreOptions & { readonly value?: Serde<NonNullable<V>> } = {},
): (s: Stream<K, V, R>) => Table<K, NonNullable<V>, R> {
  return (s) => {
    const input = streamNode("toTable", s)
    const value = options.value ?? input.value
    const { stores, ...history } = tableStores(`toTable "${name}"`, { name, key: input.key, value }, options)
    return tableOf(
      makeNode({
        operator: toTableOperator,
        name,
        inputs: [input],
        options: history,
        stores,
        value,
        keyChanged: false,
      }),
    )
  }
}

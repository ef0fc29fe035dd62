/**
 * toTable: a stream as the latest value per key.
 *
 * State: a key-value store under the operator's name, with its changelog. Time: each row has its record's timestamp; the
 * record that is processed last wins, whatever its timestamp.
 * Key: it depends on it, so that a changed key is repartitioned. Null keys are dropped and counted; a tombstone, or null
 * from a callback, deletes the row.
 */
import type { Serde } from "@millrace/schema"
import { type Stream, streamNode, type Table, tableOf } from "../dsl/stream.ts"
import { makeNode, type StoreKeeping, storeKeeping } from "../topology/node.ts"
import type { Operator } from "./operator.ts"
import { TableSource } from "./table.ts"

const toTableOperator: Operator = {
  kind: "to-table",
  keyDependent: true,
  make: (node, context) => new TableSource(node, context),
}

export function toTable<K, V, R>(
  name: string,
  options: StoreKeeping & { readonly value?: Serde<V> } = {},
): (s: Stream<K, V, R>) => Table<K, V, R> {
  return (s) => {
    const input = streamNode("toTable", s)
    const value = options.value ?? input.value
    const stores = [{ name, kind: "key-value", key: input.key, value, ...storeKeeping(options) }] as const
    return tableOf(makeNode({ operator: toTableOperator, name, inputs: [input], stores, value, keyChanged: false }))
  }
}

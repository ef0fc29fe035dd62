/**
 * toTable: a stream as the latest value per key.
 *
 * State: a key-value store under the operator's name, with its changelog; with `versioned` a versioned one. Time: each row
 * has its record's timestamp; the record that is processed last wins, whatever its timestamp. In a versioned table it is the
 * latest timestamp: see versioned-table.ts.
 * Key: it depends on it, so that a changed key is repartitioned. Null keys are dropped and counted; a tombstone, or null
 * from a callback, deletes the row.
 */
import type { Serde } from "@millrace/schema"
import { type Stream, streamNode, type Table, tableOf } from "../dsl/stream.ts"
import { makeNode, type StoreKeeping, storeKeeping } from "../topology/node.ts"
import type { Operator } from "./operator.ts"
import { makeTableSource } from "./table.ts"
import { tableKind, type VersionedOptions } from "./versioned-table.ts"

const toTableOperator: Operator = {
  kind: "to-table",
  keyDependent: true,
  make: makeTableSource,
}

export function toTable<K, V, R>(
  name: string,
  options: StoreKeeping & VersionedOptions & { readonly value?: Serde<V> } = {},
): (s: Stream<K, V, R>) => Table<K, V, R> {
  return (s) => {
    const input = streamNode("toTable", s)
    const value = options.value ?? input.value
    const stores = [
      { name, ...tableKind(`toTable "${name}"`, options), key: input.key, value, ...storeKeeping(options) },
    ] as const
    return tableOf(makeNode({ operator: toTableOperator, name, inputs: [input], stores, value, keyChanged: false }))
  }
}

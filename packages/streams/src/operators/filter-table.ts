/**
 * filterTable: the rows of a table that a test holds for.
 *
 * State: none, unless `store` names one: then the rows that pass are kept under that name. Without one a lookup tests the
 * row of the table before it. Time and headers: the change's.
 * A row that stops passing is deleted: a tombstone follows. Where neither the old nor the new row passes nothing follows,
 * since there is nothing to delete downstream; so the old value is always asked for. Of a versioned table the tombstone
 * always follows, since it ends an earlier version.
 * Key: kept, and with it both serdes.
 */
import { isAbsent, OUTDATED, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { flowOf, type Table, tableOf } from "../dsl/stream.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { NOTHING } from "../state/store.ts"
import { tableReader } from "../state/table-reader.ts"
import { makeNode } from "../topology/node.ts"
import { derivedStores, type DerivedTableOptions } from "./derived-table.ts"
import { copyOf, type Operator, Processor } from "./operator.ts"
import { historyMsOf } from "./versioned-table.ts"

const filterTableOperator: Operator = {
  kind: "filter-table",
  passesHeaders: true,
  readsOld: true,
  make: (node, context) => new FilterTable(node, context),
  view(node, context) {
    const row = tableReader(node.inputs[0]!, context)
    const test = node.logical.functions["test"]!
    return (key, asOf) => {
      const found = row(key, asOf)
      return found.value === undefined || test(found.value, key) ? found : NOTHING
    }
  },
}

export function filterTable<K, V, R>(
  test: (value: V, key: K) => boolean,
  options: DerivedTableOptions<V> = {},
): (t: Table<K, V, R>) => Table<K, V, R> {
  return (t) => {
    const input = flowOf("filterTable", t, "table").node
    const value = options.value ?? input.value
    const stores = derivedStores("filterTable", input, options.store, value, options)
    const functions = { test }
    return tableOf(
      makeNode({ operator: filterTableOperator, name: options.store, inputs: [input], functions, stores, value }),
    )
  }
}

class FilterTable extends Processor {
  readonly #test = this.node.logical.functions["test"] as (value: unknown, key: unknown) => boolean
  readonly #isVersioned = historyMsOf(this.node.logical) !== undefined
  readonly #store = this.node.stores.map(({ name }) => this.context.store(name) as KeyValueStore)[0]

  receive(record: StreamRecord): void {
    const { key, timestamp, headers } = record
    const value = this.#passing(record, record.value)
    const old = this.#store === undefined ? this.#passing(record, record.old) : this.#stored(key)
    if (isAbsent(value) && isAbsent(old) && !this.#isVersioned) return
    this.#store?.put(key, value === TOMBSTONE ? undefined : value, timestamp, headers)
    this.next.receive(record.change(key, value, old, timestamp, headers))
  }

  #stored(key: unknown): unknown {
    return copyOf(this.node, this.#store!.get(key).value)
  }

  #passing(record: StreamRecord, value: unknown): unknown {
    if (isAbsent(value)) return TOMBSTONE
    if (value === OUTDATED) return OUTDATED
    try {
      return this.#test(value, record.key) ? value : TOMBSTONE
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }
}

/**
 * mapTable: another value for each row of a table.
 *
 * State: none, unless `store` names one: then the mapped rows are kept under that name. Without one a lookup maps the row
 * of the table before it, so `f` runs again for a value that it has seen and must answer the same.
 * Time and headers: the change's. Every change is followed by one; null or undefined from `f` deletes the row.
 * Key: kept, and with it the key's serde; the value's is the one given.
 */
import { isAbsent, NO_HEADERS, OUTDATED, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { flowOf, type Table, tableOf } from "../dsl/stream.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { NOTHING } from "../state/store.ts"
import { tableReader } from "../state/table-reader.ts"
import { makeNode } from "../topology/node.ts"
import { derivedStores, type DerivedTableOptions } from "./derived-table.ts"
import { copyOf, type Operator, Processor } from "./operator.ts"

const mapTableOperator: Operator = {
  kind: "map-table",
  passesHeaders: true,
  make: (node, context) => new MapTable(node, context),
  view(node, context) {
    const row = tableReader(node.inputs[0]!, context)
    const f = node.logical.functions["f"]!
    return (key, asOf) => {
      const { value, timestamp, headers = NO_HEADERS } = row(key, asOf)
      const mapped = value === undefined ? undefined : (f(value, key) ?? undefined)
      return mapped === undefined ? NOTHING : { value: mapped, timestamp, headers }
    }
  },
}

export function mapTable<K, V, W, R>(
  f: (value: V, key: K) => W,
  options: DerivedTableOptions<W> = {},
): (t: Table<K, V, R>) => Table<K, W, R> {
  return (t) => {
    const input = flowOf("mapTable", t, "table").node
    const stores = derivedStores("mapTable", input, options.store, options.value, options)
    const { store: name, value } = options
    return tableOf(makeNode({ operator: mapTableOperator, name, inputs: [input], functions: { f }, stores, value }))
  }
}

class MapTable extends Processor {
  readonly #f = this.node.logical.functions["f"] as (value: unknown, key: unknown) => unknown
  readonly #store = this.node.stores.map(({ name }) => this.context.store(name) as KeyValueStore)[0]

  receive(record: StreamRecord): void {
    const { key, timestamp, headers } = record
    const value = this.#mapped(record, record.value)
    const old = this.node.needsOld || record.old === OUTDATED ? this.#before(record) : TOMBSTONE
    if (this.#store === undefined)
      return this.next.receive(record.change(key, value ?? TOMBSTONE, old, timestamp, headers))
    this.#store.put(key, value, timestamp, headers)
    const sent = this.node.outlived ? copyOf(this.node, value) : (value ?? TOMBSTONE)
    this.next.receive(record.change(key, sent, old, timestamp, headers))
  }

  #before(record: StreamRecord): unknown {
    if (this.#store !== undefined) return copyOf(this.node, this.#store.get(record.key).value)
    return record.old === OUTDATED ? OUTDATED : (this.#mapped(record, record.old) ?? TOMBSTONE)
  }

  #mapped(record: StreamRecord, value: unknown): unknown {
    if (isAbsent(value)) return undefined
    try {
      return this.#f(value, record.key) ?? undefined
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }
}

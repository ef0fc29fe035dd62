/**
 * Reads a table by key, whatever holds its rows: a store, or another table that it derives from.
 *
 * A table that was not materialized has no rows of its own. Its operator then says how to make one from the row of the
 * table before it, so that a lookup costs a call and no store.
 */
import { invariant } from "@millrace/host"
import type { Windowed } from "../dsl/record.ts"
import type { TaskContext } from "../task/context.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import type { KeyValueStore, Stamped } from "./key-value-store.ts"
import { VersionedStore } from "./versioned-store.ts"
import { WindowStore } from "./window-store.ts"

/**
 * The row of a key, with its timestamp; its value is undefined when there is none. Of a versioned table, the one that held
 * as of a time.
 */
export type TableReader = (key: any, asOf?: number) => Stamped<any>

export function tableReader(node: PhysicalNode, context: TaskContext): TableReader {
  const owned = node.stores[0]
  if (owned === undefined) {
    const { view } = node.logical.operator
    invariant(view !== undefined, `table ${node.name} has neither a store nor a view`)
    return view(node, context)
  }
  const store = context.store(owned.name)
  const { rows: read } = node.logical.operator
  if (read !== undefined) return read(store, node, context)
  if (store instanceof VersionedStore) return (key, asOf) => store.get(key, asOf)
  if (store instanceof WindowStore) return ({ key, start }: Windowed<unknown>) => store.get(key, start)
  const rows = store as KeyValueStore
  return (key) => rows.get(key)
}

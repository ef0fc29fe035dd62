import type { Windowed } from "../dsl/record.ts"
import type { KeyValueStore } from "./key-value-store.ts"
import type { Store } from "./store.ts"
import { WindowStore } from "./window-store.ts"

/** Reads a table's row by its key, whatever store the table has; undefined when there is none. */
export function tableReader(store: Store): (key: any) => unknown {
  if (store instanceof WindowStore) return ({ key, start }: Windowed<unknown>) => store.get(key, start).value
  const rows = store as KeyValueStore
  return (key) => rows.get(key).value
}

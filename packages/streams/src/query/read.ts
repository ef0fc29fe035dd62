/**
 * Reads a store as a query asks: the one place that knows which kind of store answers which query.
 */
import { KeyValueStore } from "../state/key-value-store.ts"
import type { Store } from "../state/store.ts"
import { VersionedStore } from "../state/versioned-store.ts"
import { WindowStore } from "../state/window-store.ts"
import type { BytesView } from "./bytes-view.ts"
import { cursorOf, type Found } from "./cursor.ts"
import { type KeyQuery, type Query, QUERY_ROWS_MAX, type Row, type Rows, UnknownQuery } from "./query.ts"
import { readKey, readKeys } from "./read-key-value.ts"
import { readVersion, readVersions } from "./read-versions.ts"
import { readWindow, readWindows } from "./read-windows.ts"

/** What a store is asked with: its windows' size is known to its operator alone. */
export interface Readable {
  readonly store: Store
  readonly windowSizeMs: number
}

export function readOne(
  { store, windowSizeMs }: Readable,
  view: BytesView,
  { key, asOf }: Pick<KeyQuery<any>, "key" | "asOf">,
): Row<any, any> | undefined {
  if (store instanceof VersionedStore) return readVersion(store, view, key, asOf)
  if (asOf !== undefined) throw new UnknownQuery(`store "${store.spec.name}" has no versions: it knows no "asOf"`)
  if (store instanceof WindowStore) return readWindow(store, windowSizeMs, view, key)
  if (store instanceof KeyValueStore) return readKey(store, view, key)
  throw new UnknownQuery(`store "${store.spec.name}" of kind ${store.spec.kind} knows no query "key"`)
}

/** Lazily and in order. Nothing may be committed while it is read. */
export function readMany({ store, windowSizeMs }: Readable, view: BytesView, query: Query): Iterable<Found> {
  if (store instanceof VersionedStore) return readVersions(store, view, query)
  if (store instanceof WindowStore) return readWindows(store, windowSizeMs, view, query)
  if (store instanceof KeyValueStore) return readKeys(store, view, query)
  throw new UnknownQuery(`store "${store.spec.name}" of kind ${store.spec.kind} knows no query "${query.kind}"`)
}

export function readRows(readable: Readable, view: BytesView, query: Exclude<Query, { kind: "key" }>): Rows<any, any> {
  const limit = query.limit ?? QUERY_ROWS_MAX
  const rows: Array<Row<any, any>> = []
  let last: string | undefined
  for (const { stored, row } of readMany(readable, view, query)) {
    if (rows.length === limit) return { rows, next: cursorOf(last ?? stored) }
    rows.push(row)
    last = stored
  }
  return { rows, next: undefined }
}

/**
 * Queries of window stores: one window of a key, all windows of a key, all windows of a time.
 *
 * Windows past the store's retention answer nothing, whether or not they have been deleted yet.
 */
import { byteString } from "../state/byte-order.ts"
import { TIME_BYTES, timeBytes } from "../state/time-bytes.ts"
import type { WindowStore } from "../state/window-store.ts"
import type { BytesView } from "./bytes-view.ts"
import { type Found, fromAfter } from "./cursor.ts"
import { type Query, type Row, UnknownQuery } from "./query.ts"

export function readWindow(
  store: WindowStore,
  sizeMs: number,
  view: BytesView,
  windowed: { readonly key: unknown; readonly start: number },
): Row<any, any> | undefined {
  const { key, start } = windowed
  if (start <= store.expiredTo) return undefined
  const stored = view.get(timeBytes(start) + byteString(store.spec.key.encode(key)))
  return stored && { key: { key, start, end: start + sizeMs }, ...store.decode(stored) }
}

export function* readWindows(store: WindowStore, sizeMs: number, view: BytesView, query: Query): Iterable<Found> {
  const isReverse = "order" in query && query.order === "desc"
  const rowOf = (stored: string, bytes: Uint8Array): Found => {
    const { key, start } = store.windowOf(stored)
    return { stored, row: { key: { key, start, end: start + sizeMs }, ...store.decode(bytes) } }
  }
  const [from, to] = fromAfter(query, ...boundsOf(store, query))
  if (query.kind !== "windows") {
    for (const [stored, bytes] of view.range(from, to, isReverse)) yield rowOf(stored, bytes)
    return
  }
  const key = byteString(store.spec.key.encode(query.key))
  const starts = view.prefixes(from.slice(0, TIME_BYTES), to)
  for (const start of isReverse ? starts.toReversed() : starts) {
    const stored = start + key
    const bytes = stored >= from && stored < to ? view.get(stored) : undefined
    if (bytes !== undefined) yield rowOf(stored, bytes)
  }
}

/** Of stored keys. Cells lie above all windows that begin at a safe integer's time. */
function boundsOf(store: WindowStore, query: Query): [from: string, to: string] {
  const isOfTimes = query.kind === "windows" || query.kind === "window-range"
  if (!isOfTimes && !(query.kind === "range" && query.from === undefined && query.to === undefined)) {
    throw new UnknownQuery(
      `store "${store.spec.name}" has windows: it knows no query "${query.kind}" by key; ask for "windows" of a key`,
    )
  }
  const from = isOfTimes ? (query.from ?? 0) : 0
  const to = isOfTimes ? (query.to ?? TIME_MAX) : TIME_MAX
  const first = Math.max(0, Math.ceil(from), Math.floor(store.expiredTo) + 1)
  return [timeBytes(first), timeBytes(Math.min(TIME_MAX, Math.floor(to)) + 1)]
}

/** The last instant that a JavaScript Date knows. */
const TIME_MAX = 8_640_000_000_000_000

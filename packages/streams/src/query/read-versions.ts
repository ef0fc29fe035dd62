/**
 * Queries of versioned stores (KIP-960, KIP-968): the version of a key as of a time, its versions; ranges of keys by their
 * latest versions. What ended before the history answers nothing, whether or not it has been deleted yet.
 */
import { byteString, bytesOf } from "../state/byte-order.ts"
import { ending, type VersionedStore } from "../state/versioned-store.ts"
import { DELETED, keyOfLatest, LATEST_BOUNDS, latestKey } from "../state/versions.ts"
import type { BytesView } from "./bytes-view.ts"
import { type Found, fromAfter } from "./cursor.ts"
import type { Query, Row } from "./query.ts"
import { keyBounds } from "./read-key-value.ts"

export function readVersion(
  store: VersionedStore,
  view: BytesView,
  key: unknown,
  asOf = Number.POSITIVE_INFINITY,
): Row<any, any> | undefined {
  const bytes = byteString(store.spec.key.encode(key))
  for (const { row, validTo } of store.storedVersions(bytes, (stored) => view.get(stored))) {
    if (row.timestamp <= asOf) return row.value === DELETED ? undefined : { key, ...row, ...ending(validTo) }
    // The latest always answers; others do within the history.
    if (asOf < store.historyFrom) return undefined
  }
  return undefined
}

export function* readVersions(store: VersionedStore, view: BytesView, query: Query): Iterable<Found> {
  if (query.kind === "versions") yield* versionsOfKey(store, view, query)
  else yield* latestVersions(store, view, query)
}

function* versionsOfKey(
  store: VersionedStore,
  view: BytesView,
  query: Extract<Query, { kind: "versions" }>,
): Iterable<Found> {
  const { key, from = 0, to = Number.POSITIVE_INFINITY } = query
  const bytes = byteString(store.spec.key.encode(key))
  const found: Found[] = []
  for (const { stored, row, validTo } of store.storedVersions(bytes, (stored) => view.get(stored))) {
    if (validTo <= from) break
    if (row.timestamp <= to && row.value !== DELETED) found.push({ stored, row: { key, ...row, ...ending(validTo) } })
  }
  const ordered = query.order === "desc" ? found : found.toReversed()
  const after = query.after === undefined ? undefined : byteString(Buffer.from(query.after, "base64url"))
  yield* ordered.slice(ordered.findIndex(({ stored }) => stored === after) + 1)
}

function* latestVersions(store: VersionedStore, view: BytesView, query: Query): Iterable<Found> {
  const [first = "", end] = keyBounds(store, query)
  const bounds = [latestKey(first), end === undefined ? LATEST_BOUNDS[1] : latestKey(end)] as const
  const [from, to] = fromAfter(query, ...bounds)
  for (const [stored, bytes] of view.range(from, to, "order" in query && query.order === "desc")) {
    const { value, timestamp } = store.decode(bytes)
    if (value === DELETED) continue
    yield { stored, row: { key: store.spec.key.decode(bytesOf(keyOfLatest(stored))), value, timestamp } }
  }
}

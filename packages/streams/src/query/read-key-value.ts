/**
 * Queries of key-value stores: a key, a range of keys, a prefix.
 */
import { above, byteString, bytesOf } from "../state/byte-order.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { isCellKey, type Store } from "../state/store.ts"
import type { BytesView } from "./bytes-view.ts"
import { type Found, fromAfter } from "./cursor.ts"
import { type Query, type Row, UnknownQuery } from "./query.ts"

export function readKey(store: KeyValueStore, view: BytesView, key: unknown): Row<any, any> | undefined {
  const stored = view.get(byteString(store.spec.key.encode(key)))
  return stored && { key, ...store.decode(stored) }
}

export function* readKeys(store: KeyValueStore, view: BytesView, query: Query): Iterable<Found> {
  const [from, to] = fromAfter(query, ...keyBounds(store, query))
  const isReverse = "order" in query && query.order === "desc"
  for (const [stored, bytes] of view.range(from, to, isReverse)) {
    if (isCellKey(stored)) continue
    yield { stored, row: { key: store.spec.key.decode(bytesOf(stored)), ...store.decode(bytes) } }
  }
}

/** Of the keys' own bytes. */
export function keyBounds(store: Store, query: Query): [from: string | undefined, to: string | undefined] {
  const { key: serde, name } = store.spec
  if (query.kind === "range") {
    const from = query.from === undefined ? undefined : byteString(serde.encode(query.from))
    const to = query.to === undefined ? undefined : `${byteString(serde.encode(query.to))}\0`
    return [from, to]
  }
  if (query.kind === "prefix") {
    const encoded = byteString(serde.encode(query.prefix))
    // A tuple's end mark would keep longer tuples out.
    const prefix = serde === canonicalKey && Array.isArray(query.prefix) ? encoded.slice(0, -1) : encoded
    return [prefix, above(prefix)]
  }
  throw new UnknownQuery(`store "${name}" has keys without windows: it knows no query "${query.kind}"`)
}

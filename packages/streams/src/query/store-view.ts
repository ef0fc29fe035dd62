/**
 * A store of this process, all its partitions as one: read-only, and committed rows only.
 *
 * What is iterated is read in chunks, so that whoever iterates may wait in between; each chunk is of one instant, a long
 * iteration is not. Rows of several partitions come merged, in the order of their keys' bytes (windows: of their starts).
 * A key of a partition that another process has is an error, since no row would look like no such key. So is a row whose
 * schema is not known yet: it is fetched then, and who asks again has it.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { StateError } from "../errors.ts"
import { cursorOf, type Found } from "./cursor.ts"
import type { Queries } from "./queries.ts"
import type { Query, Row, Unwindowed } from "./query.ts"
import { readMany, readOne } from "./read.ts"
import type { StoreInfo } from "./stores.ts"

/** Rows read from a partition at a time. */
const CHUNK_ROWS = 500

type Order = { readonly order?: "asc" | "desc" }
type Times = Order & { readonly from?: number; readonly to?: number }

export class StoreView<K, V> {
  readonly name: string
  readonly #info: StoreInfo
  readonly #queries: Queries

  constructor(info: StoreInfo, queries: Queries) {
    this.name = info.name
    this.#info = info
    this.#queries = queries
  }

  /** Partitions that are here and restored. */
  get partitions(): readonly number[] {
    return this.#queries.partitionsHere(this.#info)
  }

  /** Of a versioned store: as of a time, if one is given. */
  get(key: K, asOf?: number): V | undefined {
    return this.row(key, asOf)?.value
  }

  /** The value with its timestamp. */
  row(key: K, asOf?: number): Row<K, V> | undefined {
    const readable = this.#readableOf(this.#info.kind === "window" ? (key as { key: unknown }).key : key)
    return fetching(() => readOne(readable, readable.store.committed, { key, ...(asOf !== undefined && { asOf }) }))
  }

  /** The versions of a key that held at some time between two. */
  versions(key: K, times: Times = {}): Iterable<Row<K, V>> {
    this.#readableOf(key)
    return this.#rows({ kind: "versions", key, ...times }, [this.#queries.partitionOf(this.#info, key)])
  }

  /** Rows from one key to another, both included. */
  range(bounds: { readonly from?: K; readonly to?: K } & Order = {}): Iterable<Row<K, V>> {
    return this.#rows({ kind: "range", ...bounds })
  }

  all(options: Order = {}): Iterable<Row<K, V>> {
    return this.#rows({ kind: "range", ...options })
  }

  /** Rows whose key begins so: the first characters of a text, the first elements of a tuple. */
  prefix(prefix: K extends readonly unknown[] ? readonly unknown[] : K, options: Order = {}): Iterable<Row<K, V>> {
    return this.#rows({ kind: "prefix", prefix, ...options })
  }

  /** The windows of a key that start between two times, both included. */
  fetch(key: Unwindowed<K>, times: Times = {}): Iterable<Row<K, V>> {
    this.#readableOf(key)
    return this.#rows({ kind: "windows", key, ...times }, [this.#queries.partitionOf(this.#info, key)])
  }

  /** The windows of all keys that start between two times, both included. */
  fetchAll(times: Times = {}): Iterable<Row<K, V>> {
    return this.#rows({ kind: "window-range", ...times })
  }

  #readableOf(key: unknown) {
    const partition = this.#queries.partitionOf(this.#info, key)
    const readable = this.#queries.readable(this.#info, partition)
    if (readable !== undefined) return readable
    throw this.#queries.absence(this.#info, partition, this.#queries.absent(this.#info, partition))
  }

  *#rows(query: Exclude<Query, { kind: "key" }>, partitions = this.partitions): Iterable<Row<K, V>> {
    const isReverse = query.order === "desc"
    const cursors = partitions.map((partition) => this.#chunks(partition, query)[Symbol.iterator]())
    const heads = cursors.map((cursor) => cursor.next())
    for (;;) {
      let first = -1
      for (const [index, head] of heads.entries()) {
        if (head.done) continue
        const least = heads[first]
        if (first < 0 || head.value.stored < (least!.value as Found).stored !== isReverse) first = index
      }
      if (first < 0) return
      yield (heads[first]!.value as Found).row
      heads[first] = cursors[first]!.next()
    }
  }

  *#chunks(partition: number, query: Exclude<Query, { kind: "key" }>): Iterable<Found> {
    let after: string | undefined
    for (;;) {
      const readable = this.#queries.readable(this.#info, partition)
      if (readable === undefined)
        throw new StateError(`store "${this.name}": partition ${partition} went while it was read`)
      const asked = after === undefined ? query : { ...query, after }
      const chunk = fetching(() => chunkOf(readMany(readable, readable.store.committed, asked)))
      yield* chunk
      const last = chunk.at(-1)
      if (chunk.length < CHUNK_ROWS || last === undefined) return
      after = cursorOf(last.stored)
    }
  }
}

function chunkOf(rows: Iterable<Found>): Found[] {
  const chunk: Found[] = []
  for (const found of rows) if (chunk.push(found) === CHUNK_ROWS) break
  return chunk
}

/** Has the schema fetched that a row was written with and that is not known yet. */
function fetching<T>(read: () => T): T {
  try {
    return read()
  } catch (failure) {
    if (failure instanceof UnknownSchemaId) failure.resolve().catch(() => {})
    throw failure
  }
}

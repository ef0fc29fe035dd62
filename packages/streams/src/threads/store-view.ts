/**
 * A store of a process whose tasks run in worker threads, all its partitions as one: read-only, and committed rows only.
 * What a store of this thread answers at once, here is awaited.
 *
 * What is iterated is asked for in chunks, of each partition in turn; each chunk is of one instant, a long iteration is not.
 * Rows of several partitions come merged, in the order of their keys' bytes (windows: of their starts). A key of a partition
 * that another process has is an error, since no row would look like no such key.
 */
import type { PartitionResult, Query, Row, Rows, Unwindowed } from "../query/query.ts"
import type { StoreInfo } from "../query/stores.ts"
import type { ThreadQueries } from "./queries.ts"

/** Rows asked of a partition at a time. */
const CHUNK_ROWS = 500

type Order = { readonly order?: "asc" | "desc" }
type Times = Order & { readonly from?: number; readonly to?: number }
type ManyQuery = Exclude<Query, { readonly kind: "key" }>

export class ThreadStoreView<K, V> {
  readonly name: string
  readonly #info: StoreInfo
  readonly #queries: ThreadQueries

  constructor(info: StoreInfo, queries: ThreadQueries) {
    this.name = info.name
    this.#info = info
    this.#queries = queries
  }

  /** Partitions that are here and restored. */
  partitions(): Promise<readonly number[]> {
    return this.#queries.partitionsHere(this.#info)
  }

  /** Of a versioned store: as of a time, if one is given. */
  async get(key: K, asOf?: number): Promise<V | undefined> {
    return (await this.row(key, asOf))?.value
  }

  /** The value with its timestamp. */
  async row(key: K, asOf?: number): Promise<Row<K, V> | undefined> {
    const partition = this.#partitionOf(this.#info.kind === "window" ? (key as { key: unknown }).key : key)
    const query = { kind: "key", key, ...(asOf !== undefined && { asOf }) } as const
    const { partitions } = await this.#queries.ask(this.name, query, { partitions: [partition] })
    return this.#answerOf(partitions.get(partition), partition)
  }

  /** The versions of a key that held at some time between two. */
  versions(key: K, times: Times = {}): AsyncIterable<Row<K, V>> {
    return this.#rows({ kind: "versions", key, ...times }, [this.#partitionOf(key)])
  }

  /** Rows from one key to another, both included. */
  range(bounds: { readonly from?: K; readonly to?: K } & Order = {}): AsyncIterable<Row<K, V>> {
    return this.#rows({ kind: "range", ...bounds })
  }

  all(options: Order = {}): AsyncIterable<Row<K, V>> {
    return this.#rows({ kind: "range", ...options })
  }

  /** Rows whose key begins so: the first characters of a text, the first elements of a tuple. */
  prefix(prefix: K extends readonly unknown[] ? readonly unknown[] : K, options: Order = {}): AsyncIterable<Row<K, V>> {
    return this.#rows({ kind: "prefix", prefix, ...options })
  }

  /** The windows of a key that start between two times, both included. */
  fetch(key: Unwindowed<K>, times: Times = {}): AsyncIterable<Row<K, V>> {
    return this.#rows({ kind: "windows", key, ...times }, [this.#partitionOf(key)])
  }

  /** The windows of all keys that start between two times, both included. */
  fetchAll(times: Times = {}): AsyncIterable<Row<K, V>> {
    return this.#rows({ kind: "window-range", ...times })
  }

  #partitionOf(key: unknown): number {
    return this.#queries.partitionOf(this.#info, key)
  }

  #answerOf<R>(result: PartitionResult<R> | undefined, partition: number): R {
    if (result?.ok) return result.result
    throw this.#queries.absence(this.#info, partition, result)
  }

  async *#rows(query: ManyQuery, given?: readonly number[]): AsyncGenerator<Row<K, V>, void, undefined> {
    const partitions = given ?? (await this.partitions())
    const sign = query.order === "desc" ? -1 : 1
    const cursors = partitions.map((partition) => this.#chunks(partition, query))
    const heads = await Promise.all(cursors.map((cursor) => cursor.next()))
    for (;;) {
      let first = -1
      for (const [index, head] of heads.entries()) {
        if (head.done) continue
        const least = heads[first]
        if (least === undefined || sign * compare(head.value, least.value as Placed<K, V>) < 0) first = index
      }
      if (first < 0) return
      yield (heads[first]!.value as Placed<K, V>).row
      heads[first] = await cursors[first]!.next()
    }
  }

  async *#chunks(partition: number, query: ManyQuery): AsyncGenerator<Placed<K, V>, void, undefined> {
    let after: string | undefined
    do {
      const asked = { ...query, limit: CHUNK_ROWS, ...(after !== undefined && { after }) }
      const { partitions } = await this.#queries.ask(this.name, asked, { partitions: [partition] })
      const found: Rows<K, V> = this.#answerOf(partitions.get(partition), partition)
      for (const row of found.rows) yield this.#placed(row)
      after = found.next
    } while (after !== undefined)
  }

  #placed(row: Row<K, V>): Placed<K, V> {
    const { kind, serdes } = this.#info
    if (kind !== "window") return { row, start: 0, key: serdes.key.encode(row.key) }
    const { key, start } = row.key as { readonly key: unknown; readonly start: number }
    return { row, start, key: serdes.key.encode(key) }
  }
}

/** A row with what orders it. */
interface Placed<K, V> {
  readonly row: Row<K, V>
  readonly start: number
  readonly key: Uint8Array
}

const compare = (left: Placed<any, any>, right: Placed<any, any>): number =>
  left.start - right.start || Buffer.compare(left.key, right.key)

/**
 * What can be asked of a store (Kafka Streams' interactive queries, KIP-796), and what comes back.
 *
 * A query is plain data, so that it can be sent to the process that has the key. It is answered partition by partition,
 * each at one instant and at one transaction's end: what a partition cannot answer is told with a reason, not left out.
 *
 * Order is that of the keys' bytes, as their serde writes them; windows come by their start, versions by their timestamp. Bounds are inclusive.
 */
import type { Headers, Windowed } from "../dsl/record.ts"
import type { Position } from "./position.ts"

/** The key without its window. */
export type Unwindowed<K> = K extends Windowed<infer I> ? I : K

interface Many {
  readonly order?: "asc" | "desc"
  /** Rows of one partition; beyond them `next` continues. Default 10 000. */
  readonly limit?: number
  /** `next` of an earlier answer of the same partition. */
  readonly after?: string
}

/** The row of a key; of a windowed store, of a key and the start of its window. */
export interface KeyQuery<K> {
  readonly kind: "key"
  readonly key: K
  /** Of a versioned store: the version that held at this time, in milliseconds. */
  readonly asOf?: number
}

/** Of a versioned store: the versions of a key that held at some time between two. */
export interface VersionsQuery<K> extends Many {
  readonly kind: "versions"
  readonly key: K
  readonly from?: number
  readonly to?: number
}

/** Rows between two keys; all rows without bounds. */
export interface RangeQuery<K> extends Many {
  readonly kind: "range"
  readonly from?: K
  readonly to?: K
}

/** Rows whose key begins so: the first characters of a text, the first elements of a tuple. */
export interface PrefixQuery extends Many {
  readonly kind: "prefix"
  readonly prefix: unknown
}

/** The windows of one key that start between two times. */
export interface WindowsQuery<K> extends Many {
  readonly kind: "windows"
  readonly key: Unwindowed<K>
  readonly from?: number
  readonly to?: number
}

/** The windows of all keys that start between two times. */
export interface WindowRangeQuery extends Many {
  readonly kind: "window-range"
  readonly from?: number
  readonly to?: number
}

export type Query<K = any> =
  | KeyQuery<K>
  | VersionsQuery<K>
  | RangeQuery<K>
  | PrefixQuery
  | WindowsQuery<K>
  | WindowRangeQuery

export interface Row<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  /** Of a store that keeps them: there are none where the row was written before it did (KIP-1356). */
  readonly headers?: Headers
  /** Of a version: when the next one begins. Absent of the latest. */
  readonly validTo?: number
}

export interface Rows<K, V> {
  readonly rows: ReadonlyArray<Row<K, V>>
  /** There may be more: ask again with it as `after`. */
  readonly next: string | undefined
}

export type Answer<Q, K, V> = Q extends { readonly kind: "key" } ? Row<K, V> | undefined : Rows<K, V>

/** Kafka Streams' `FailureReason`. */
export type FailureReason =
  | "UNKNOWN_QUERY_TYPE"
  | "NOT_ACTIVE"
  | "NOT_UP_TO_BOUND"
  | "NOT_PRESENT"
  | "DOES_NOT_EXIST"
  | "STORE_EXCEPTION"

export type PartitionResult<R> =
  | {
      readonly ok: true
      readonly result: R
      readonly position: Position
      /** Of a copy: offsets of its changelog that it has not read of those there were at `seenAt`. */
      readonly lag?: number
      /**
       * Of a copy: when its changelog last told where it ends, in milliseconds. It gets old while copies wait for a task that
       * is being restored in this process, and while the cluster does not answer.
       */
      readonly seenAt?: number
    }
  | { readonly ok: false; readonly reason: FailureReason; readonly message: string }

export interface QueryResult<R> {
  /** By partition: those asked for, or all that are here. */
  readonly partitions: ReadonlyMap<number, PartitionResult<R>>
  /** What all partitions that answered have seen: a bound for the next query. */
  readonly position: Position
}

export interface QueryOptions {
  /** Default: all partitions that are here. */
  readonly partitions?: readonly number[]
  /** Partitions that have not seen so much answer NOT_UP_TO_BOUND. */
  readonly bound?: Position
  /** Default read_committed. Uncommitted rows may be taken back. */
  readonly isolation?: "read_committed" | "read_uncommitted"
  /**
   * Partitions whose task runs elsewhere, or nowhere, are read from the copies that are here (`standbyReplicas`), stale as
   * they are. A copy may show half of a transaction, and does not know its position in the inputs: no bound is met by it.
   */
  readonly allowStale?: boolean
}

export const QUERY_ROWS_MAX = 10_000

/** A store does not have this kind of query. */
export class UnknownQuery extends Error {
  override readonly name = "UnknownQuery"
}

/**
 * What a processor written by the user may use: see operators/process.ts.
 */
import type { Duration } from "../dsl/duration.ts"
import type { Headers, Rec } from "../dsl/record.ts"
import type { StoreDefinition } from "../dsl/store.ts"
import type { GlobalTable, Table } from "../dsl/stream.ts"
import type { Stamped } from "../state/key-value-store.ts"

export interface StoreDefinitions {
  readonly [name: string]: StoreDefinition<any>
}

export type StatesOf<Stores> = {
  readonly [N in keyof Stores]: Stores[N] extends StoreDefinition<infer State> ? State : never
}

export interface ReadTables {
  readonly [name: string]: Table<any, any, any> | GlobalTable<any, any>
}

/** The rows of a table that lie with the task's partition: of the keys that its records have. Of a global table: all. */
export interface TableState<K, V> {
  get(key: K): V | undefined
  /** With its timestamp, and its headers where it has some. */
  getStamped(key: K): Stamped<V>
}

export type RowsOf<Tables> = {
  readonly [N in keyof Tables]: Tables[N] extends Table<infer K, infer V, any>
    ? TableState<K, V>
    : Tables[N] extends GlobalTable<infer K, infer V>
      ? TableState<K, V>
      : never
}

/** A record to send on. What it does not say is taken from the record at hand. */
export interface ForwardedRecord<K, V> {
  readonly key: K
  readonly value: V
  /** Default: that of the record, timer or punctuation at hand. */
  readonly timestamp?: number
  readonly headers?: Headers
}

/** stream-time: as records come. wall-clock: as time passes, decided once per transaction. */
export type PunctuationType = "stream-time" | "wall-clock"

/** Times at which to be called back about a key; kept like state, taken back with an aborted transaction. */
export interface Timers<K> {
  /** In stream time. A key may have several timers, one per time; one that is due already fires after the call at hand. */
  set(key: K, time: number): void
  delete(key: K, time: number): void
}

interface CommonContext<K, Stores, Tables> {
  readonly stores: StatesOf<Stores>
  readonly tables: RowsOf<Tables>
  /** Only with `onTimer`. */
  readonly timers: Timers<K>
  /**
   * Calls back by time; only while the processor is being made. Stream time: at the first record, then whenever stream
   * time reaches a multiple of the interval, once after a gap. Wall clock: an interval from now, then every interval,
   * ticks that were missed being one.
   */
  schedule(interval: Duration, type: PunctuationType, punctuate: (time: number) => void): void
  /** Asks for the transaction to end soon. */
  commit(): void
  /** The greatest timestamp that the task has taken; -1 before the first record. Not kept unless asked for when made. */
  readonly streamTime: number
  /** The transaction's wall-clock time, in milliseconds of the epoch: the same for all its records. */
  readonly now: number
  /** Of the task: that of the records' partitions. */
  readonly partition: number
  readonly applicationId: string
}

export interface ProcessorContext<K, K2, V2, Stores, Tables> extends CommonContext<K, Stores, Tables> {
  /** Sends a record on; returns when everything downstream has run. */
  forward(record: ForwardedRecord<K2, V2>): void
}

export interface ValueProcessorContext<K, V2, Stores, Tables> extends CommonContext<K, Stores, Tables> {
  /** Sends a value on under the key of the record or timer at hand. */
  forward(value: V2, options?: { readonly timestamp?: number; readonly headers?: Headers }): void
}

export interface RecordProcessor<K, V> {
  process(record: Rec<K, V>): void
  /** A timer is due, in the order of their times. */
  onTimer?(key: K, time: number): void
  /** The task goes. Its stores may not be used any more. */
  close?(): void
}

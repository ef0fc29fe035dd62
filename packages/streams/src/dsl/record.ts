/**
 * One record on its way through a pipeline.
 *
 * `Rec` is what callbacks see. `StreamRecord` is what the engine moves: one class for stream records and table changes,
 * so that every call site sees one shape.
 *
 * A tombstone is not a value. A null value in a topic enters the engine as `TOMBSTONE`; operators let it pass (filter,
 * map) or drop and count it where a value is needed (keyBy, flatMap, mapRecord, aggregate), so no callback typed for V is
 * ever called without a V. `tombstones()` makes them visible as null, typed so; `to` writes both as null.
 *
 * `clock` is the time by which a record that came through a repartition topic is judged late: that of its own upstream
 * task when it was sent. So a lagging upstream task does not make its records late, and what is late depends on each
 * upstream task's input alone. Records of ordinary topics have `OWN_CLOCK`: the operator that judges them keeps the time.
 */
import type { RecordHeader } from "@millrace/protocol/record/record"

export type Headers = readonly RecordHeader[]

export const NO_HEADERS: Headers = []

/** One record. `with` and `withKey` derive another that keeps the rest: timestamp, headers and its place in the input. */
export interface Rec<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
  readonly headers: Headers
  readonly topic: string
  readonly partition: number
  readonly offset: number
  with<W>(value: W): Rec<K, W>
  withKey<K2>(key: K2): Rec<K2, V>
}

/** The key of a windowed table: `[start, end)` in milliseconds; of a session, `[start, end]`. */
export interface Windowed<K> {
  readonly key: K
  readonly start: number
  readonly end: number
}

/** The absence of a value, as the engine carries it. */
export const TOMBSTONE: unique symbol = Symbol("tombstone")

/** In the place of the old value: the change is to the past of a versioned table, and its row stays as it is. */
export const OUTDATED: unique symbol = Symbol("outdated")

/** No value: a tombstone, or null from a callback. Operators that need a value drop and count it; topics hold null. */
export const isAbsent = (value: unknown): boolean => value === TOMBSTONE || value === null || value === undefined

/** The clock of a record that came straight from an ordinary topic. */
export const OWN_CLOCK = -1

/** The offset of what comes from no input: timers and punctuations send it. */
export const NO_OFFSET = -1

/** Where records of one input partition come from. */
export interface Origin {
  readonly topic: string
  readonly partition: number
}

export class StreamRecord implements Rec<unknown, unknown> {
  readonly key: unknown
  readonly value: unknown
  readonly timestamp: number
  readonly headers: Headers
  readonly offset: number
  readonly origin: Origin
  readonly clock: number
  /** On a table's edge: the value before this change, `TOMBSTONE` when there was none or nobody asked; or `OUTDATED`. */
  readonly old: unknown

  constructor(
    key: unknown,
    value: unknown,
    timestamp: number,
    headers: Headers,
    offset: number,
    origin: Origin,
    clock: number,
    old: unknown,
  ) {
    this.key = key
    this.value = value
    this.timestamp = timestamp
    this.headers = headers
    this.offset = offset
    this.origin = origin
    this.clock = clock
    this.old = old
  }

  get topic(): string {
    return this.origin.topic
  }

  get partition(): number {
    return this.origin.partition
  }

  with(value: any): any {
    return this.derive(this.key, value, this.timestamp)
  }

  withKey(key: any): any {
    return this.derive(key, this.value, this.timestamp)
  }

  derive(key: unknown, value: unknown, timestamp: number): StreamRecord {
    return new StreamRecord(key, value, timestamp, this.headers, this.offset, this.origin, this.clock, TOMBSTONE)
  }

  /** Without headers unless they are those of a table's row: a result has no one record that it comes from. */
  change(key: unknown, value: unknown, old: unknown, timestamp: number, headers: Headers = NO_HEADERS): StreamRecord {
    return new StreamRecord(key, value, timestamp, headers, this.offset, this.origin, this.clock, old)
  }

  /**
   * A result that was held back until this record moved the time. It is older than what is late by now: what follows keeps
   * the time of such results, not that of the record.
   */
  release(key: unknown, value: unknown, old: unknown, timestamp: number, headers: Headers = NO_HEADERS): StreamRecord {
    return new StreamRecord(key, value, timestamp, headers, this.offset, this.origin, OWN_CLOCK, old)
  }
}

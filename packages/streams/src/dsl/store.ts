/**
 * Stores that a pipeline's own processors use: defined once, by name, and given to `process`.
 *
 * A definition given to two operators is one store, and puts both into one sub-topology. A store is changelogged like any
 * other; each task has the part of it that belongs to its partition.
 */
import type { Serde } from "@millrace/schema"
import { ExpiringRows } from "../state/expiry.ts"
import type { KeyValueStore, Stamped } from "../state/key-value-store.ts"
import type { Store } from "../state/store.ts"
import type { TimerStore } from "../state/timer-store.ts"
import type { WindowStore } from "../state/window-store.ts"
import { StreamTime } from "../task/stream-time.ts"
import { type StoreKeeping, storeKeeping, type StoreSpec, ttlSpec } from "../topology/node.ts"
import { type Duration, durationMs, ttlMsOf } from "./duration.ts"
import { type Headers, NO_HEADERS, type StreamRecord } from "./record.ts"
import { assertName } from "./topic.ts"

/** `State` is what a processor uses. */
export interface StoreDefinition<State> {
  readonly spec: StoreSpec
  /** Of a store whose rows have a time to live. */
  readonly timers?: StoreSpec
  open(store: Store, time: ProcessingTime, timers?: TimerStore): OpenStore<State>
}

export interface OpenStore<State> {
  readonly state: State
  /** Before a record is processed. */
  observe?(record: StreamRecord): void
  /** Event time has come so far without one. */
  advance?(time: number): void
}

/** When the record, timer or punctuation at hand is, and its headers: timers and punctuations have none. */
export interface ProcessingTime {
  readonly timestamp: number
  readonly headers: Headers
}

export interface StoreOptions<K, V> extends StoreKeeping {
  /** Default: the canonical codec, for strings, numbers, booleans, bytes and tuples of them. */
  readonly key?: Serde<K>
  /** Default: MessagePack. */
  readonly value?: Serde<V>
}

/** Of a store whose rows keep headers too (KIP-1271). Rows of before have none until they are put again. */
export interface KeepsHeaders {
  readonly headers: true
}

/** What says nothing of headers, or that none are kept. */
export interface KeepsNoHeaders {
  readonly headers?: false
}

export interface Entry<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
}

/** A row with its headers; they are empty where there is no row. */
export interface StampedWithHeaders<V> extends Stamped<V> {
  readonly headers: Headers
}

export interface EntryWithHeaders<K, V> extends Entry<K, V> {
  readonly headers: Headers
}

/**
 * The latest value per key. Reads see the open transaction's own writes. A value that was changed in place must be put
 * again to be kept. A timestamp that is left out is that of the record, timer or punctuation at hand.
 */
export interface KeyValueState<K, V> {
  get(key: K): V | undefined
  /** With the timestamp that it was put with. */
  getStamped(key: K): Stamped<V>
  put(key: K, value: V, timestamp?: number): void
  delete(key: K): void
  /** Entries with `from <= key < to`, in the order of their keys' bytes; a bound that is left out is open. */
  range(from?: K, to?: K): Iterable<Entry<K, V>>
}

/** Headers that are left out are those of the record at hand; of a timer or a punctuation there are none. */
export interface KeyValueStateWithHeaders<K, V> extends KeyValueState<K, V> {
  getStamped(key: K): StampedWithHeaders<V>
  put(key: K, value: V, timestamp?: number, headers?: Headers): void
  range(from?: K, to?: K): Iterable<EntryWithHeaders<K, V>>
}

/**
 * With `ttl` a row goes once stream time, that of the records that the processor gets, is its timestamp and so much beyond
 * it, before the record that moves it there is processed. With `headers` rows keep headers.
 */
export function keyValueStore<K, V>(
  name: string,
  options: StoreOptions<K, V> & KeepsHeaders & { readonly ttl?: Duration },
): StoreDefinition<KeyValueStateWithHeaders<K, V>>
export function keyValueStore<K, V>(
  name: string,
  options?: StoreOptions<K, V> & KeepsNoHeaders & { readonly ttl?: Duration },
): StoreDefinition<KeyValueState<K, V>>
export function keyValueStore<K, V>(
  name: string,
  options: StoreOptions<K, V> & { readonly headers?: boolean; readonly ttl?: Duration } = {},
): StoreDefinition<KeyValueStateWithHeaders<K, V>> {
  assertName("store", name)
  const ttlMs = ttlMsOf(`store "${name}"`, options.ttl)
  const spec: StoreSpec = {
    name,
    kind: "key-value",
    key: options.key,
    value: options.value,
    ...rowKeeping(options),
  }
  return {
    spec,
    ...(ttlMs !== undefined && { timers: ttlSpec(spec) }),
    open(store, time, timers) {
      const rows = store as KeyValueStore<K, V>
      const expiring = timers && new ExpiringRows<K, V>(rows, timers, ttlMs!)
      const put = (key: K, value: V, timestamp = time.timestamp, headers?: Headers) =>
        (expiring ?? rows).put(key, value ?? undefined, timestamp, headers)
      return {
        ...(expiring && {
          observe: (record) => void expiring.observe(record, () => {}),
          advance: (time: number) => expiring.advance(time, () => {}),
        }),
        state: {
          get: (key) => rows.get(key).value,
          getStamped: stampedIn(spec, (key: K) => rows.get(key)),
          put:
            spec.headers === true
              ? (key, value, timestamp, headers = time.headers) => put(key, value, timestamp, headers)
              : (key, value, timestamp) => put(key, value, timestamp),
          delete: (key) => rows.put(key, undefined, time.timestamp),
          range: (from, to) => rows.range(from, to) as Iterable<EntryWithHeaders<K, V>>,
        },
      }
    },
  }
}

/** One value per key and start of a window, kept for `retention` of stream time after the start. */
export interface WindowState<K, V> {
  /** undefined where there is none, or stream time has left it behind. */
  get(key: K, start: number): V | undefined
  /** With the timestamp that it was put with. */
  getStamped(key: K, start: number): Stamped<V>
  /** Answers false, and keeps nothing, for a start that stream time has left behind. */
  put(key: K, start: number, value: V, timestamp?: number): boolean
  delete(key: K, start: number): void
}

/** Headers that are left out are those of the record at hand; of a timer or a punctuation there are none. */
export interface WindowStateWithHeaders<K, V> extends WindowState<K, V> {
  getStamped(key: K, start: number): StampedWithHeaders<V>
  put(key: K, start: number, value: V, timestamp?: number, headers?: Headers): boolean
}

export function windowStore<K, V>(
  name: string,
  options: StoreOptions<K, V> & KeepsHeaders & { readonly retention: Duration },
): StoreDefinition<WindowStateWithHeaders<K, V>>
export function windowStore<K, V>(
  name: string,
  options: StoreOptions<K, V> & KeepsNoHeaders & { readonly retention: Duration },
): StoreDefinition<WindowState<K, V>>
export function windowStore<K, V>(
  name: string,
  options: StoreOptions<K, V> & { readonly headers?: boolean; readonly retention: Duration },
): StoreDefinition<WindowStateWithHeaders<K, V>> {
  assertName("store", name)
  const retentionMs = durationMs(`store "${name}" retention`, options.retention)
  const { key, value } = options
  const spec: StoreSpec = { name, kind: "window", key, value, retentionMs, ...rowKeeping(options) }
  return {
    spec,
    open(store, time) {
      const windows = store as WindowStore<K, V>
      const streamTime = new StreamTime(windows.streamTime)
      return {
        state: {
          get: (key, start) => windows.get(key, start).value,
          getStamped: stampedIn(spec, (key: K, start: number) => windows.get(key, start)),
          put(key, start, value, timestamp = time.timestamp, headers = time.headers) {
            if (start <= streamTime.horizon - retentionMs) return false
            windows.put(key, start, value ?? undefined, timestamp, spec.headers === true ? headers : NO_HEADERS)
            return true
          },
          delete: (key, start) => windows.put(key, start, undefined, time.timestamp),
        },
        observe: (record) => void streamTime.observe(record),
        advance: (time) => streamTime.advance(time),
      }
    },
  }
}

const rowKeeping = (
  options: StoreKeeping & { readonly headers?: boolean },
): Pick<StoreSpec, keyof StoreKeeping | "headers"> => ({
  ...storeKeeping(options),
  ...(options.headers === true && { headers: true }),
})

/** What users get of a row, which is the store's: its headers where it has some. */
export function stampedOf<V>({ value, timestamp, headers = NO_HEADERS }: Stamped<V>): Stamped<V> {
  return headers.length === 0 ? { value, timestamp } : { value, timestamp, headers }
}

/** Headers always, or never: as the store keeps them. */
function stampedIn<V, Place extends unknown[]>(
  { headers: keepsHeaders }: StoreSpec,
  row: (...place: Place) => Stamped<V>,
): (...place: Place) => StampedWithHeaders<V> {
  if (keepsHeaders !== true) return (...place) => stampedOf(row(...place)) as StampedWithHeaders<V>
  return (...place) => {
    const { value, timestamp, headers = NO_HEADERS } = row(...place)
    return { value, timestamp, headers }
  }
}

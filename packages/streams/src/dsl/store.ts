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
import type { StreamRecord } from "./record.ts"
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

/** When the record, timer or punctuation at hand is. */
export interface ProcessingTime {
  readonly timestamp: number
}

export interface StoreOptions<K, V> extends StoreKeeping {
  /** Default: the canonical codec, for strings, numbers, booleans, bytes and tuples of them. */
  readonly key?: Serde<K>
  /** Default: MessagePack. */
  readonly value?: Serde<V>
}

export interface Entry<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp: number
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

/**
 * With `ttl` a row goes once stream time, that of the records that the processor gets, is its timestamp and so much beyond
 * it, before the record that moves it there is processed.
 */
export function keyValueStore<K, V>(
  name: string,
  options: StoreOptions<K, V> & { readonly ttl?: Duration } = {},
): StoreDefinition<KeyValueState<K, V>> {
  assertName("store", name)
  const ttlMs = ttlMsOf(`store "${name}"`, options.ttl)
  const spec: StoreSpec = {
    name,
    kind: "key-value",
    key: options.key,
    value: options.value,
    ...storeKeeping(options),
  }
  return {
    spec,
    ...(ttlMs !== undefined && { timers: ttlSpec(spec) }),
    open(store, time, timers) {
      const rows = store as KeyValueStore<K, V>
      const expiring = timers && new ExpiringRows<K, V>(rows, timers, ttlMs!)
      return {
        ...(expiring && {
          observe: (record) => void expiring.observe(record, () => {}),
          advance: (time: number) => expiring.advance(time, () => {}),
        }),
        state: {
          get: (key) => rows.get(key).value,
          getStamped: (key) => {
            const { value, timestamp } = rows.get(key)
            return { value, timestamp }
          },
          put: (key, value, timestamp = time.timestamp) => (expiring ?? rows).put(key, value ?? undefined, timestamp),
          delete: (key) => rows.put(key, undefined, time.timestamp),
          range: (from, to) => rows.range(from, to),
        },
      }
    },
  }
}

/** One value per key and start of a window, kept for `retention` of stream time after the start. */
export interface WindowState<K, V> {
  /** undefined where there is none, or stream time has left it behind. */
  get(key: K, start: number): V | undefined
  /** Answers false, and keeps nothing, for a start that stream time has left behind. */
  put(key: K, start: number, value: V, timestamp?: number): boolean
  delete(key: K, start: number): void
}

export function windowStore<K, V>(
  name: string,
  options: StoreOptions<K, V> & { readonly retention: Duration },
): StoreDefinition<WindowState<K, V>> {
  assertName("store", name)
  const retentionMs = durationMs(`store "${name}" retention`, options.retention)
  return {
    spec: { name, kind: "window", key: options.key, value: options.value, retentionMs, ...storeKeeping(options) },
    open(store, time) {
      const windows = store as WindowStore<K, V>
      const streamTime = new StreamTime(windows.streamTime)
      return {
        state: {
          get: (key, start) => windows.get(key, start).value,
          put(key, start, value, timestamp = time.timestamp) {
            if (start <= streamTime.horizon - retentionMs) return false
            windows.put(key, start, value ?? undefined, timestamp)
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

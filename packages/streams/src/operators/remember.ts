/**
 * What the operators with a memory per key share (scan, pairwise, distinctUntilChanged, debounceTime, throttleTime,
 * auditTime, bufferCount, bufferTime): RxJS operators whose memory is a store, so that it survives the transaction.
 *
 * State: one row per key in a store under the operator's name; the operators that wait have a timer by key beside it, in a
 * store `<name>-timers`. Time: event time. Timers fire before the record that moves the task's stream time to or past them;
 * without later records, or time that is told, nothing fires. Key: they depend on it, and keep it. A result has the time of the record that it
 * comes with, or the one that is said.
 * Records without key or value are dropped and counted.
 */
import type { Serde } from "@millrace/schema"
import type { Duration } from "../dsl/duration.ts"
import { durationMs } from "../dsl/duration.ts"
import { type KeyValueState, keyValueStore, type StoreDefinition } from "../dsl/store.ts"
import { type Stream, streamNode } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { packed } from "../serde/packed.ts"
import { processNode } from "./process.ts"
import type { RecordProcessor, ValueProcessorContext } from "./processor-context.ts"

export interface Memory<K, V, State, W> {
  readonly what: string
  readonly name: string
  /** Of a row, from that of the input's values. */
  state(value: Serde<V>): Serde<State>
  /** Of the results, from that of the input's values. */
  value(value: Serde<V> | undefined): Serde<W> | undefined
  readonly timers?: boolean
  readonly process: (context: ValueProcessorContext<K, W, Rows<K, State>, {}>) => RecordProcessor<K, V>
}

interface Rows<K, State> {
  readonly rows: StoreDefinition<KeyValueState<K, State>>
}

export function remember<K, V, State, W, R>(memory: Memory<K, V, State, W>): (s: Stream<K, V, R>) => Stream<K, W, R> {
  const { what, name, timers = false } = memory
  return (s) => {
    const input = streamNode(what, s)
    const key: Serde<K> | undefined = input.key
    const state = memory.state(input.value ?? packed)
    const rows = keyValueStore<K, State>(name, key === undefined ? { value: state } : { key, value: state })
    const value = memory.value(input.value)
    const options = { stores: { rows }, timers, ...(value !== undefined && { value }) }
    return processNode(what, name, s, options, memory.process, true, true)
  }
}

/** A time that must be more than nothing. */
export function positiveMs(what: string, name: string, duration: Duration): number {
  const ms = durationMs(`${what} "${name}"`, duration)
  if (ms === 0) throw new PipelineError(`${what} "${name}": a time of 0 holds nothing back`)
  return ms
}

/**
 * bufferTime: the values of a key that come within a time from the first one, together, in the order of the input; then again
 * from the next. A result has the time at which it ends.
 * State, time, key and null rules: remember.ts.
 */
import type { Serde } from "@millrace/schema"
import type { Duration } from "../dsl/duration.ts"
import type { Stream } from "../dsl/stream.ts"
import { packed } from "../serde/packed.ts"
import { type Timed, timedList } from "../serde/timed-list.ts"
import { positiveMs, remember } from "./remember.ts"

export function bufferTime<V>(
  name: string,
  duration: Duration,
  options: { readonly value?: Serde<readonly V[]> } = {},
): <K, R>(s: Stream<K, V, R>) => Stream<K, readonly V[], R> {
  const ms = positiveMs("bufferTime", name, duration)
  return remember<any, V, readonly Timed<V>[], readonly V[], any>({
    what: "bufferTime",
    name,
    state: timedList,
    value: () => options.value ?? packed,
    timers: true,
    process: ({ stores: { rows }, timers, forward }) => ({
      process({ key, value, timestamp }) {
        const values = rows.get(key) ?? []
        if (values.length === 0) timers.set(key, timestamp + ms)
        rows.put(key, [...values, { from: timestamp, to: timestamp, value }])
      },
      onTimer(key) {
        const values = rows.get(key)
        if (values === undefined) return
        rows.delete(key)
        forward(values.map(({ value }) => value))
      },
    }),
  })
}

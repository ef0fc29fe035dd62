/**
 * throttleTime: a value of a key, and then none until a time has passed since it, by the records' own timestamps.
 * State, time, key and null rules: remember.ts.
 */
import type { Duration } from "../dsl/duration.ts"
import type { Stream } from "../dsl/stream.ts"
import { packed } from "../serde/packed.ts"
import { positiveMs, remember } from "./remember.ts"

export function throttleTime<V>(name: string, duration: Duration): <K, R>(s: Stream<K, V, R>) => Stream<K, V, R> {
  const ms = positiveMs("throttleTime", name, duration)
  return remember<any, V, true, V, any>({
    what: "throttleTime",
    name,
    state: () => packed,
    value: (value) => value,
    process: ({ stores: { rows }, forward }) => ({
      process({ key, value, timestamp }) {
        const last = rows.getStamped(key)
        if (last.value !== undefined && timestamp < last.timestamp + ms) return
        rows.put(key, true)
        forward(value)
      },
    }),
  })
}

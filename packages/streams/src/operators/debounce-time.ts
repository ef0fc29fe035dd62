/**
 * debounceTime: a value of a key once no other has followed it for a time; of those that follow each other sooner the last.
 *
 * Last is the one with the greatest timestamp, of equals the one that came last. A result has the time of the silence's end.
 * State, time, key and null rules: remember.ts.
 */
import type { Duration } from "../dsl/duration.ts"
import type { Stream } from "../dsl/stream.ts"
import { positiveMs, remember } from "./remember.ts"

export function debounceTime<V>(name: string, duration: Duration): <K, R>(s: Stream<K, V, R>) => Stream<K, V, R> {
  const ms = positiveMs("debounceTime", name, duration)
  return remember<any, V, V, V, any>({
    what: "debounceTime",
    name,
    state: (value) => value,
    value: (value) => value,
    timers: true,
    process: ({ stores: { rows }, timers, forward }) => ({
      process({ key, value, timestamp }) {
        const before = rows.getStamped(key)
        if (before.value !== undefined) {
          if (before.timestamp > timestamp) return
          timers.delete(key, before.timestamp + ms)
        }
        rows.put(key, value)
        timers.set(key, timestamp + ms)
      },
      onTimer(key) {
        const last = rows.get(key)
        if (last === undefined) return
        rows.delete(key)
        forward(last)
      },
    }),
  })
}

/**
 * auditTime: of the values of a key that come within a time from the first one, the last; then again from the next.
 *
 * Last is the one with the greatest timestamp, of equals the one that came last. A result has the time of the audit.
 * State, time, key and null rules: remember.ts.
 */
import type { Duration } from "../dsl/duration.ts"
import type { Stream } from "../dsl/stream.ts"
import { positiveMs, remember } from "./remember.ts"

export function auditTime<V>(name: string, duration: Duration): <K, R>(s: Stream<K, V, R>) => Stream<K, V, R> {
  const ms = positiveMs("auditTime", name, duration)
  return remember<any, V, V, V, any>({
    what: "auditTime",
    name,
    state: (value) => value,
    value: (value) => value,
    timers: true,
    process: ({ stores: { rows }, timers, forward }) => ({
      process({ key, value, timestamp }) {
        const before = rows.getStamped(key)
        if (before.value === undefined) timers.set(key, timestamp + ms)
        else if (before.timestamp > timestamp) return
        rows.put(key, value)
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

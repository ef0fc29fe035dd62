/**
 * distinctUntilChanged: a value of a key only where it differs from the one before it, in the order of the input.
 *
 * Values are compared by their bytes, or what `by` makes of them is: objects that are equal are no change.
 * State, time, key and null rules: remember.ts.
 */
import type { Stream } from "../dsl/stream.ts"
import { packed } from "../serde/packed.ts"
import { remember } from "./remember.ts"

export function distinctUntilChanged<V>(
  name: string,
  by: (value: V) => unknown = (value) => value,
): <K, R>(s: Stream<K, V, R>) => Stream<K, V, R> {
  return remember<any, V, unknown, V, any>({
    what: "distinctUntilChanged",
    name,
    state: () => packed,
    value: (value) => value,
    process: ({ stores: { rows }, forward }) => ({
      process({ key, value }) {
        // In a list, so that no value is told from none.
        const compared = [by(value) ?? null]
        const before = rows.get(key)
        if (before !== undefined && Buffer.compare(packed.encode(before), packed.encode(compared)) === 0) return
        rows.put(key, compared)
        forward(value)
      },
    }),
  })
}

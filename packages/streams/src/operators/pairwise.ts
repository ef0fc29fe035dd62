/**
 * pairwise: each value of a key with the one before it, from the second on, in the order of the input.
 * State, time, key and null rules: remember.ts.
 */
import type { Serde } from "@millrace/schema"
import type { Stream } from "../dsl/stream.ts"
import { packed } from "../serde/packed.ts"
import { remember } from "./remember.ts"

export function pairwise<V>(
  name: string,
  options: { readonly value?: Serde<readonly [V, V]> } = {},
): <K, R>(s: Stream<K, V, R>) => Stream<K, readonly [V, V], R> {
  return remember<any, V, V, readonly [V, V], any>({
    what: "pairwise",
    name,
    state: (value) => value,
    value: () => options.value ?? packed,
    process: ({ stores: { rows }, forward }) => ({
      process({ key, value }) {
        const before = rows.get(key)
        rows.put(key, value)
        if (before !== undefined) forward([before, value])
      },
    }),
  })
}

/**
 * scan: every record's value and what came of those before it, by key; the result is emitted with every record.
 *
 * It is an aggregate whose results are a stream and no table: each is of its record, with its headers and time.
 * `f` answers a new value and leaves the one before as it was, since that one may still be on its way.
 * State, time, key and null rules: remember.ts.
 */
import type { Serde } from "@millrace/schema"
import type { Stream } from "../dsl/stream.ts"
import { packed } from "../serde/packed.ts"
import { remember } from "./remember.ts"

export function scan<K, V, A>(
  name: string,
  f: (accumulated: A, value: V, key: K) => A,
  seed: () => A,
  options: { readonly value?: Serde<A> } = {},
): <R>(s: Stream<K, V, R>) => Stream<K, A, R> {
  const serde: Serde<A> = options.value ?? packed
  return remember<K, V, A, A, any>({
    what: "scan",
    name,
    state: () => serde,
    value: () => serde,
    process: ({ stores: { rows }, forward }) => ({
      process({ key, value }) {
        const accumulated = f(rows.get(key) ?? seed(), value, key)
        if (accumulated === undefined || accumulated === null) {
          throw new TypeError("scan: the callback must answer a value; an aggregate deletes a row with null")
        }
        rows.put(key, accumulated)
        forward(accumulated)
      },
    }),
  })
}

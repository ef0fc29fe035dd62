/**
 * bufferCount: every so many values of a key together, in the order of the input.
 * State, time, key and null rules: remember.ts.
 */
import type { Serde } from "@millrace/schema"
import type { Stream } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { packed } from "../serde/packed.ts"
import { type Timed, timedList } from "../serde/timed-list.ts"
import { remember } from "./remember.ts"

export function bufferCount<V>(
  name: string,
  size: number,
  options: { readonly value?: Serde<readonly V[]> } = {},
): <K, R>(s: Stream<K, V, R>) => Stream<K, readonly V[], R> {
  if (!Number.isSafeInteger(size) || size < 1)
    throw new PipelineError(`bufferCount "${name}": the size ${size} must be a whole number from 1 on`)
  return remember<any, V, readonly Timed<V>[], readonly V[], any>({
    what: "bufferCount",
    name,
    state: timedList,
    value: () => options.value ?? packed,
    process: ({ stores: { rows }, forward }) => ({
      process({ key, value, timestamp }) {
        const values = [...(rows.get(key) ?? []), { from: timestamp, to: timestamp, value }]
        if (values.length < size) return rows.put(key, values)
        rows.delete(key)
        forward(values.map((one) => one.value))
      },
    }),
  })
}

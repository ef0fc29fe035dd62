/**
 * window: says which windows the aggregate that follows is over. It has no processor of its own.
 */
import { type Aggregable, Flow, flowOf, type Windowing } from "../dsl/stream.ts"
import type { Topic } from "../dsl/topic.ts"
import type { Windows } from "../dsl/windows.ts"

/** The topic for late records, where it is given by its definition. */
type LateTopic<W extends Windows> = Extract<W["lateTo"], Topic<any, any>>
type LateKey<W extends Windows> = LateTopic<W> extends Topic<infer K, any> ? K : never
type LateValue<W extends Windows> = LateTopic<W> extends Topic<any, infer V> ? V : never

/** Of several streams, all that may be late. */
type Late<V, Names> = [Names] extends [null] ? V : { readonly [N in Names & PropertyKey]: V }

export function window<W extends Windows>(
  windows: W,
): <K extends LateKey<W>, V extends Late<LateValue<W>, Names>, R, Names = null>(
  s: Aggregable<K, V, "stream", R, Names>,
) => Windowing<K, V, W["_kind"], R, Names> {
  return (s) => new Flow("windowing", flowOf("window", s, "stream", "cogroup").node, windows) as any
}

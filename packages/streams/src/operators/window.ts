/**
 * window: says which windows the aggregate that follows is over. It has no processor of its own.
 */
import { type Aggregable, Flow, flowOf, type Windowing } from "../dsl/stream.ts"
import type { Windows } from "../dsl/windows.ts"

export function window<W extends Windows>(
  windows: W,
): <K, V, R, Names>(s: Aggregable<K, V, "stream", R, Names>) => Windowing<K, V, W["_kind"], R, Names> {
  return (s) => new Flow("windowing", flowOf("window", s, "stream", "cogroup").node, windows) as any
}

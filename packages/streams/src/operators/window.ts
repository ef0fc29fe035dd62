/**
 * window: says which windows the aggregate that follows is over. It has no processor of its own.
 */
import { Flow, streamNode, type Stream, type Windowing } from "../dsl/stream.ts"
import type { Windows } from "../dsl/windows.ts"

export function window<W extends Windows>(windows: W): <K, V, R>(s: Stream<K, V, R>) => Windowing<K, V, W["_kind"], R> {
  return (s) => new Flow("windowing", streamNode("window", s), windows) as any
}

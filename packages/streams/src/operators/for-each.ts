/**
 * forEach: calls a function with each record, and that is the end of the flow.
 *
 * State: none. Tombstones are not shown; put `tombstones()` before it to see them as null.
 * What `f` does outside is no part of the transaction: it happens again when the transaction is aborted and repeated. It
 * must not be asynchronous, since nobody waits for it: `mapEffect` does.
 */
import type { Rec } from "../dsl/record.ts"
import { Flow, type Sink, type Stream, streamNode } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import type { Operator } from "./operator.ts"
import { Tap } from "./tap.ts"

const forEachOperator: Operator = { kind: "for-each", make: (node, context) => new Tap(node, context) }

export function forEach<K, V, R>(f: (value: V, record: Rec<K, V>) => void): (s: Stream<K, V, R>) => Sink<R> {
  return (s) => {
    const node = makeNode({ operator: forEachOperator, inputs: [streamNode("forEach", s)], functions: { f } })
    return new Flow("sink", node) as unknown as Sink<any>
  }
}

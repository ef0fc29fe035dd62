/**
 * merge: the records of several streams as one.
 *
 * State: none. Time and keys: the inputs'. Order: that in which the task takes them, smallest timestamp first where all
 * are at hand. A serde is kept when all inputs agree on it. Tombstones pass.
 */
import { type StreamRecord } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import { type LogicalNode, makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const mergeOperator: Operator = { kind: "merge", make: (node, context) => new Merge(node, context) }

type AnyStream = Stream<any, any, any>
type KeyOf<S> = S extends Stream<infer K, any, any> ? K : never
type ValueOf<S> = S extends Stream<any, infer V, any> ? V : never
type NeedsOf<S> = S extends Stream<any, any, infer R> ? R : never

export function merge<One extends AnyStream, More extends readonly AnyStream[]>(
  other: One,
  ...more: More
): <V, R>(
  s: Stream<KeyOf<One | More[number]>, V, R>,
) => Stream<KeyOf<One | More[number]>, V | ValueOf<One | More[number]>, R | NeedsOf<One | More[number]>> {
  return (s) => streamOf(mergeNodes([s, other, ...more].map((one) => streamNode("merge", one))))
}

/** One node from several; of several inputs at least. */
export function mergeNodes(inputs: readonly LogicalNode[]): LogicalNode {
  const [first, ...rest] = inputs as readonly [LogicalNode, ...LogicalNode[]]
  const agree = rest.every((one) => (one.key ?? canonicalKey).name === (first.key ?? canonicalKey).name)
  const key = agree ? first.key : undefined
  const value = rest.every((one) => one.value?.name === first.value?.name) ? first.value : undefined
  // Written by two serdes, equal keys lie in different partitions.
  const keyChanged = inputs.some((one) => one.keyChanged) || !agree
  return makeNode({ operator: mergeOperator, inputs, key, value, keyChanged })
}

class Merge extends Processor {
  receive(record: StreamRecord): void {
    this.next.receive(record)
  }
}

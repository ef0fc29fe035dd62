/**
 * merge: the records of two streams as one.
 *
 * State: none. Time and keys: the inputs'. Order: that in which the task takes them, smallest timestamp first where both
 * are at hand. A serde is kept when both inputs agree on it. Tombstones pass.
 */
import { type StreamRecord } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const mergeOperator: Operator = { kind: "merge", make: (node, context) => new Merge(node, context) }

export function merge<K, V2, R2>(other: Stream<K, V2, R2>): <V, R>(s: Stream<K, V, R>) => Stream<K, V | V2, R | R2> {
  return (s) => {
    const first = streamNode("merge", s)
    const second = streamNode("merge", other)
    const agree = (first.key ?? canonicalKey).name === (second.key ?? canonicalKey).name
    const key = agree ? first.key : undefined
    const value = first.value?.name === second.value?.name ? first.value : undefined
    // Written by two serdes, equal keys lie in different partitions.
    const keyChanged = first.keyChanged || second.keyChanged || !agree
    return streamOf(makeNode({ operator: mergeOperator, inputs: [first, second], key, value, keyChanged }))
  }
}

class Merge extends Processor {
  receive(record: StreamRecord): void {
    this.next.receive(record)
  }
}

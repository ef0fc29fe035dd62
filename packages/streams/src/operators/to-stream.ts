/**
 * toStream: a table's changes as a stream.
 *
 * State: none. Time, key and headers: the change's. Each change is one record with the new value; a deletion is a tombstone.
 */
import type { StreamRecord } from "../dsl/record.ts"
import { flowOf, type Stream, streamOf, type Table } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const toStreamOperator: Operator = { kind: "to-stream", make: (node, context) => new ToStream(node, context) }

export function toStream(): <K, V, R>(t: Table<K, V, R>) => Stream<K, V, R> {
  return (t) => streamOf(makeNode({ operator: toStreamOperator, inputs: [flowOf("toStream", t, "table").node] }))
}

class ToStream extends Processor {
  receive(record: StreamRecord): void {
    this.next.receive(record)
  }
}

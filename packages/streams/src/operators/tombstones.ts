/**
 * tombstones: makes deletions visible as null.
 *
 * State: none. Time and key: the input's. After it callbacks are called with null where a key was deleted, and the type
 * says so; null written by `to` is a deletion again.
 */
import { type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const tombstonesOperator: Operator = { kind: "tombstones", make: (node, context) => new Tombstones(node, context) }

export function tombstones(): <K, V, R>(s: Stream<K, V, R>) => Stream<K, V | null, R> {
  return (s) => streamOf(makeNode({ operator: tombstonesOperator, inputs: [streamNode("tombstones", s)] }))
}

class Tombstones extends Processor {
  receive(record: StreamRecord): void {
    this.next.receive(record.value === TOMBSTONE ? record.with(null) : record)
  }
}

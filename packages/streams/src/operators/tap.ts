/**
 * tap: looks at each record and lets it pass (Kafka Streams' peek).
 *
 * State: none. Time, key and serdes: the input's. Tombstones pass unseen.
 * What `f` does outside is no part of the transaction: it happens again when the transaction is aborted and repeated.
 */
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const tapOperator: Operator = { kind: "tap", make: (node, context) => new Tap(node, context) }

export function tap<K, V, R>(f: (value: V, record: Rec<K, V>) => void): (s: Stream<K, V, R>) => Stream<K, V, R> {
  return (s) => streamOf(makeNode({ operator: tapOperator, inputs: [streamNode("tap", s)], functions: { f } }))
}

export class Tap extends Processor {
  readonly #f = this.node.logical.functions["f"] as (value: unknown, record: StreamRecord) => void

  receive(record: StreamRecord): void {
    if (record.value !== TOMBSTONE) {
      try {
        this.#f(record.value, record)
      } catch (cause) {
        throw this.failed(record, cause)
      }
    }
    this.next.receive(record)
  }
}

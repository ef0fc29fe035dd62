/**
 * flatMap: any number of values for one, under the same key.
 *
 * State: none. Time: all results have the input's. Key: kept. Results leave in the order of the iterable.
 * Tombstones are dropped and counted: there is no value to take apart.
 */
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const flatMapOperator: Operator = { kind: "flat-map", make: (node, context) => new FlatMap(node, context) }

export function flatMap<K, V, W, R>(
  f: (value: V, record: Rec<K, V>) => Iterable<W>,
): (s: Stream<K, V, R>) => Stream<K, W, R> {
  return (s) => {
    const input = streamNode("flatMap", s)
    return streamOf(makeNode({ operator: flatMapOperator, inputs: [input], functions: { f }, value: undefined }))
  }
}

class FlatMap extends Processor {
  readonly #f = this.node.logical.functions["f"] as (value: unknown, record: StreamRecord) => Iterable<unknown>

  receive(record: StreamRecord): void {
    if (record.value === TOMBSTONE) return this.context.drop("tombstone", record)
    let values: readonly unknown[]
    try {
      values = [...this.#f(record.value, record)]
    } catch (cause) {
      throw this.failed(record, cause)
    }
    for (const value of values) this.next.receive(record.derive(record.key, value, record.timestamp))
  }
}

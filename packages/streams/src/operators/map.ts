/**
 * map: another value under the same key.
 *
 * State: none. Time: the input's. Key: kept, and with it partitioning and the key's serde; the value's is not known any
 * more. Tombstones pass as they are.
 */
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const mapOperator: Operator = { kind: "map", make: (node, context) => new MapValue(node, context) }

export function map<K, V, W, R>(f: (value: V, record: Rec<K, V>) => W): (s: Stream<K, V, R>) => Stream<K, W, R> {
  return (s) =>
    streamOf(makeNode({ operator: mapOperator, inputs: [streamNode("map", s)], functions: { f }, value: undefined }))
}

class MapValue extends Processor {
  readonly #f = this.node.logical.functions["f"] as (value: unknown, record: StreamRecord) => unknown

  receive(record: StreamRecord): void {
    if (record.value === TOMBSTONE) return this.next.receive(record)
    let value: unknown
    try {
      value = this.#f(record.value, record)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    this.next.receive(record.derive(record.key, value, record.timestamp))
  }
}

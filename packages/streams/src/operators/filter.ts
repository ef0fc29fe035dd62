/**
 * filter: keeps the records that a test holds for.
 *
 * State: none. Time: the input's. Key: kept, and with it partitioning and both serdes.
 * Tombstones pass untested: a deletion downstream of a filter deletes what the filter let through, or nothing.
 */
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const filterOperator: Operator = { kind: "filter", make: (node, context) => new Filter(node, context) }

export function filter<K, V, R>(
  test: (value: V, record: Rec<K, V>) => boolean,
): (s: Stream<K, V, R>) => Stream<K, V, R> {
  return (s) => streamOf(makeNode({ operator: filterOperator, inputs: [streamNode("filter", s)], functions: { test } }))
}

class Filter extends Processor {
  readonly #test = this.node.logical.functions["test"] as (value: unknown, record: StreamRecord) => boolean

  receive(record: StreamRecord): void {
    if (record.value !== TOMBSTONE) {
      let keep: boolean
      try {
        keep = this.#test(record.value, record)
      } catch (cause) {
        throw this.failed(record, cause)
      }
      if (!keep) return
    }
    this.next.receive(record)
  }
}

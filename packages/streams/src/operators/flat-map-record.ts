/**
 * flatMapRecord: any number of records for one, each with its own key.
 *
 * State: none. Time: the input's unless a result has its own. Key: changed, with neither serde known any more.
 * Results leave in the order of the iterable. Tombstones are dropped and counted; put `tombstones()` before it to see
 * them as null.
 */
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import type { MappedRecord } from "./map-record.ts"
import { type Operator, Processor } from "./operator.ts"

const flatMapRecordOperator: Operator = {
  kind: "flat-map-record",
  make: (node, context) => new FlatMapRecord(node, context),
}

export function flatMapRecord<K, V, K2, V2, R>(
  f: (record: Rec<K, V>) => Iterable<MappedRecord<K2, V2>>,
): (s: Stream<K, V, R>) => Stream<K2, V2, R> {
  return (s) => {
    const inputs = [streamNode("flatMapRecord", s)]
    const unknown = { key: undefined, value: undefined, keyChanged: true }
    return streamOf(makeNode({ operator: flatMapRecordOperator, inputs, functions: { f }, ...unknown }))
  }
}

class FlatMapRecord extends Processor {
  readonly #f = this.node.logical.functions["f"] as (record: StreamRecord) => Iterable<MappedRecord<unknown, unknown>>

  receive(record: StreamRecord): void {
    if (record.value === TOMBSTONE) return this.context.drop("tombstone", record)
    let results: readonly MappedRecord<unknown, unknown>[]
    try {
      results = [...this.#f(record)]
    } catch (cause) {
      throw this.failed(record, cause)
    }
    for (const { key, value, timestamp } of results) {
      this.next.receive(record.derive(key, value, timestamp ?? record.timestamp))
    }
  }
}

/**
 * mapRecord: another record for one: key, value and, if given, timestamp.
 *
 * State: none. Time: the input's unless given. Key: changed, with neither serde known any more.
 * Tombstones are dropped and counted; put `tombstones()` before it to see them as null.
 */
import { type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

/** What a callback makes of a record; without a timestamp it has that of the record. */
export interface MappedRecord<K, V> {
  readonly key: K
  readonly value: V
  readonly timestamp?: number
}

const mapRecordOperator: Operator = { kind: "map-record", make: (node, context) => new MapRecord(node, context) }

export function mapRecord<K, V, K2, V2, R>(
  f: (record: Rec<K, V>) => MappedRecord<K2, V2>,
): (s: Stream<K, V, R>) => Stream<K2, V2, R> {
  return (s) => {
    const input = streamNode("mapRecord", s)
    const unknown = { key: undefined, value: undefined }
    return streamOf(
      makeNode({ operator: mapRecordOperator, inputs: [input], functions: { f }, ...unknown, keyChanged: true }),
    )
  }
}

class MapRecord extends Processor {
  readonly #f = this.node.logical.functions["f"] as (record: StreamRecord) => MappedRecord<unknown, unknown>

  receive(record: StreamRecord): void {
    if (record.value === TOMBSTONE) return this.context.drop("tombstone", record)
    let mapped: MappedRecord<unknown, unknown>
    try {
      mapped = this.#f(record)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    this.next.receive(record.derive(mapped.key, mapped.value, mapped.timestamp ?? record.timestamp))
  }
}

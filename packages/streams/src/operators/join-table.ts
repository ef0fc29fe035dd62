/**
 * joinTable: each record of a stream with the row that its key has in a table at that moment.
 *
 * State: the table's. Time: the stream record's; the table's rows are those that the task processed before it, which by
 * the choice of the smallest timestamp are those of earlier event time, as far as they are at hand.
 * Only the stream's side triggers. No row, no result; `leftJoinTable` joins with undefined instead. Records without a
 * value are dropped and counted; without a key too, unless the join is left.
 * Key: kept. Stream and table must be co-partitioned: the stream is repartitioned where its key changed, and topics whose
 * partition counts differ are refused at start.
 */
import { isAbsent, type Rec, type StreamRecord } from "../dsl/record.ts"
import { flowOf, type Stream, streamNode, streamOf, type Table } from "../dsl/stream.ts"
import { tableReader } from "../state/table-reader.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const joinTableOperator: Operator = {
  kind: "join-table",
  keyDependent: true,
  make: (node, context) => new JoinTable(node, context),
}

export function joinTable<K, V, T, W, R2, R>(
  name: string,
  table: Table<K, T, R2>,
  f: (value: V, row: T, record: Rec<K, V>) => W,
): (s: Stream<K, V, R>) => Stream<K, W, R | R2> {
  return (s) => join("joinTable", name, s, table, f, false)
}

export function leftJoinTable<K, V, T, W, R2, R>(
  name: string,
  table: Table<K, T, R2>,
  f: (value: V, row: T | undefined, record: Rec<K, V>) => W,
): (s: Stream<K, V, R>) => Stream<K, W, R | R2> {
  return (s) => join("leftJoinTable", name, s, table, f, true)
}

function join(
  what: string,
  name: string,
  s: unknown,
  table: unknown,
  f: (...args: any[]) => unknown,
  left: boolean,
): any {
  const reads = [flowOf(what, table, "table").node]
  const inputs = [streamNode(what, s)]
  const changed = { value: undefined, keyChanged: false }
  return streamOf(
    makeNode({ operator: joinTableOperator, name, inputs, reads, options: { left }, functions: { f }, ...changed }),
  )
}

class JoinTable extends Processor {
  readonly #f = this.node.logical.functions["f"] as (value: unknown, row: unknown, record: StreamRecord) => unknown
  readonly #isLeft = this.node.logical.options["left"] === true
  readonly #row = tableReader(this.node.reads[0]!, this.context)

  receive(record: StreamRecord): void {
    if (isAbsent(record.value)) return this.context.drop("tombstone", record)
    const noKey = isAbsent(record.key)
    if (noKey && !this.#isLeft) return this.context.drop("null-key", record)
    const row = noKey ? undefined : this.#row(record.key).value
    if (row === undefined && !this.#isLeft) return
    let value: unknown
    try {
      value = this.#f(record.value, row, record)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    this.next.receive(record.derive(record.key, value, record.timestamp))
  }
}

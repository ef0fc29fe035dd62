/**
 * joinTable: each record of a stream with the row that its key has in a table at that moment.
 *
 * State: the table's. Time: the stream record's; the table's rows are those that the task processed before it, which by
 * the choice of the smallest timestamp are those of earlier event time, as far as they are at hand. Of a versioned table it
 * is the row that held at the record's time, as far as the history goes. With `grace` records wait for late rows: see
 * join-table-grace.ts.
 * Only the stream's side triggers. No row, no result; `leftJoinTable` joins with undefined instead. Records without a
 * value are dropped and counted; without a key too, unless the join is left.
 * Key: kept. Stream and table must be co-partitioned: the stream is repartitioned where its key changed, and topics whose
 * partition counts differ are refused at start.
 */
import { type Duration, durationMs } from "../dsl/duration.ts"
import type { Rec } from "../dsl/record.ts"
import { flowOf, type Stream, streamNode, streamOf, type Table } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { graceStores, JoinTableGrace } from "./join-table-grace.ts"
import { JoinTable } from "./join-table-row.ts"
import type { Operator } from "./operator.ts"

const joinTableOperator: Operator = {
  kind: "join-table",
  keyDependent: true,
  holdsBack: ({ graceMs }) => graceMs !== 0,
  make: (node, context) => (node.stores.length > 0 ? new JoinTableGrace(node, context) : new JoinTable(node, context)),
}

export interface JoinTableOptions {
  /** How long records wait, in stream time, for rows that come late. The table must be versioned. */
  readonly grace?: Duration
}

export function joinTable<K, V, T, W, R2, R>(
  name: string,
  table: Table<K, T, R2>,
  f: (value: V, row: T, record: Rec<K, V>) => W,
  options: JoinTableOptions = {},
): (s: Stream<K, V, R>) => Stream<K, W, R | R2> {
  return (s) => join("joinTable", name, s, table, f, options, false)
}

export function leftJoinTable<K, V, T, W, R2, R>(
  name: string,
  table: Table<K, T, R2>,
  f: (value: V, row: T | undefined, record: Rec<K, V>) => W,
  options: JoinTableOptions = {},
): (s: Stream<K, V, R>) => Stream<K, W, R | R2> {
  return (s) => join("leftJoinTable", name, s, table, f, options, true)
}

function join(
  what: string,
  name: string,
  s: unknown,
  table: unknown,
  f: (...args: any[]) => unknown,
  joinOptions: JoinTableOptions,
  left: boolean,
): any {
  const reads = [flowOf(what, table, "table").node]
  const inputs = [streamNode(what, s)] as const
  const graceMs = durationMs(`${what} grace`, joinOptions.grace ?? 0)
  const options = { left, graceMs }
  const stores = graceMs === 0 ? [] : graceStores(`${what} "${name}"`, name, inputs[0], reads[0]!, graceMs)
  const changed = { value: undefined, keyChanged: false }
  return streamOf(
    makeNode({ operator: joinTableOperator, name, inputs, reads, options, functions: { f }, stores, ...changed }),
  )
}

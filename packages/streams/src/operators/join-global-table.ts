/**
 * joinGlobalTable: each record of a stream with the row of a global table that `keyOf` names.
 *
 * State: the global table's. Time: the stream record's; the table is as it is at that moment.
 * Only the stream's side triggers. No row, no result; `leftJoinGlobalTable` joins with undefined instead. Records without
 * a value are dropped and counted; so are those for which `keyOf` answers null or undefined, unless the join is left. The
 * stream's own key plays no part: it may be null, and is kept. Nothing is repartitioned.
 */
import { isAbsent, type Rec, type StreamRecord } from "../dsl/record.ts"
import { flowOf, type GlobalTable, type Stream, streamNode, streamOf } from "../dsl/stream.ts"
import { makeNode } from "../topology/node.ts"
import { type Operator, Processor } from "./operator.ts"

const joinGlobalTableOperator: Operator = {
  kind: "join-global-table",
  make: (node, context) => new JoinGlobalTable(node, context),
}

export function joinGlobalTable<K, V, G, T, W>(
  table: GlobalTable<G, T>,
  keyOf: (value: V, record: Rec<K, V>) => G | null | undefined,
  f: (value: V, row: T, record: Rec<K, V>) => W,
): <R>(s: Stream<K, V, R>) => Stream<K, W, R> {
  return (s) => join("joinGlobalTable", s, table, keyOf, f, false)
}

export function leftJoinGlobalTable<K, V, G, T, W>(
  table: GlobalTable<G, T>,
  keyOf: (value: V, record: Rec<K, V>) => G | null | undefined,
  f: (value: V, row: T | undefined, record: Rec<K, V>) => W,
): <R>(s: Stream<K, V, R>) => Stream<K, W, R> {
  return (s) => join("leftJoinGlobalTable", s, table, keyOf, f, true)
}

type Callback = (...args: any[]) => unknown

function join(what: string, s: unknown, table: unknown, keyOf: Callback, f: Callback, left: boolean): any {
  const reads = [flowOf(what, table, "global table").node]
  const inputs = [streamNode(what, s)]
  const functions = { keyOf, f }
  return streamOf(
    makeNode({ operator: joinGlobalTableOperator, inputs, reads, options: { left }, functions, value: undefined }),
  )
}

class JoinGlobalTable extends Processor {
  readonly #keyOf = this.node.logical.functions["keyOf"]!
  readonly #f = this.node.logical.functions["f"]!
  readonly #isLeft = this.node.logical.options["left"] === true
  readonly #rows = this.context.globalTable(this.node.reads[0]!.stores[0]!.name)

  receive(record: StreamRecord): void {
    if (isAbsent(record.value)) return this.context.drop("tombstone", record)
    let value: unknown
    try {
      const key = this.#keyOf(record.value, record)
      if (isAbsent(key) && !this.#isLeft) return this.context.drop("null-key", record)
      const row = isAbsent(key) ? undefined : this.#rows.get(key).value
      if (row === undefined && !this.#isLeft) return
      value = this.#f(record.value, row, record)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    this.next.receive(record.derive(record.key, value, record.timestamp))
  }
}

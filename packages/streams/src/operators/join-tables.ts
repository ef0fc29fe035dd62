/**
 * joinTables, leftJoinTables, outerJoinTables: the rows that two tables have under one key, as a table.
 *
 * A result is there as long as its sides are: both for an inner join, the left one for a left join, either for an outer
 * one; a side without a row is undefined. Each change of a side is followed by one with the other side's row of the moment.
 * Where there was no result and is none, nothing follows.
 * State: none, unless `store` names one: then the results are kept under that name. Without one a lookup joins the rows of
 * both tables anew, so `f` runs again for values that it has seen and must answer the same. Tables that come from one and
 * the same need one: a change moves both sides at once, and only a store still has the result before it.
 * Time: the greater of both rows', a deletion's for the row that it took; where one side has no row, the other's.
 * null or undefined from `f` deletes the result. A change to the past of a versioned table is dropped and counted (KIP-914).
 * Key: kept. Both tables' keys must be written alike and the tables co-partitioned: topics whose partition counts differ
 * are refused at start. A table's key can be made anew with `toStream`, `keyBy` and `toTable`.
 */
import { isAbsent, OUTDATED, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { flowOf, type Table, tableOf } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import type { KeyValueStore, Stamped } from "../state/key-value-store.ts"
import { NO_TIME } from "../state/cell.ts"
import { type TableReader, tableReader } from "../state/table-reader.ts"
import { hasWindowedKey, type LogicalNode, makeNode } from "../topology/node.ts"
import { derivedStores, type DerivedTableOptions } from "./derived-table.ts"
import { copyOf, type Operator, Processor, type Receiver } from "./operator.ts"

type Kind = "inner" | "left" | "outer"

export function joinTables<K, V, V2, W, R2, R>(
  name: string,
  other: Table<K, V2, R2>,
  f: (left: V, right: V2, key: K) => W,
  options: DerivedTableOptions<W> = {},
): (t: Table<K, V, R>) => Table<K, W, R | R2> {
  return (t) => join("joinTables", "inner", name, t, other, f, options)
}

export function leftJoinTables<K, V, V2, W, R2, R>(
  name: string,
  other: Table<K, V2, R2>,
  f: (left: V, right: V2 | undefined, key: K) => W,
  options: DerivedTableOptions<W> = {},
): (t: Table<K, V, R>) => Table<K, W, R | R2> {
  return (t) => join("leftJoinTables", "left", name, t, other, f, options)
}

/** At least one side is there. */
export function outerJoinTables<K, V, V2, W, R2, R>(
  name: string,
  other: Table<K, V2, R2>,
  f: (left: V | undefined, right: V2 | undefined, key: K) => W,
  options: DerivedTableOptions<W> = {},
): (t: Table<K, V, R>) => Table<K, W, R | R2> {
  return (t) => join("outerJoinTables", "outer", name, t, other, f, options)
}

type Joiner = (left: any, right: any, key: any) => unknown

function join(
  what: string,
  kind: Kind,
  name: string,
  t: unknown,
  other: unknown,
  f: Joiner,
  options: DerivedTableOptions<any>,
): any {
  const sides = [flowOf(what, t, "table").node, flowOf(what, other, "table").node] as const
  const { store, value } = options
  assertMet(what, name, sides)
  const before = tablesBefore(sides[0])
  if (store === undefined && [...tablesBefore(sides[1])].some((table) => before.has(table))) {
    const reason = "one change moves both sides, which come from one table, and the result before is not known"
    throw new PipelineError(`${what} "${name}": ${reason}: keep the results, { store: "${name}" }`)
  }
  return tableOf(
    makeNode({
      operator: joinTablesOperator,
      name,
      inputs: sides,
      reads: sides,
      options: { kind },
      functions: { f },
      stores: derivedStores(what, sides[0], store, value, options),
      value,
    }),
  )
}

function assertMet(what: string, name: string, [left, right]: readonly [LogicalNode, LogicalNode]): void {
  const anew = "make one's key anew with toStream, keyBy or mapRecord, and toTable"
  if (hasWindowedKey(left) || hasWindowedKey(right))
    throw new PipelineError(`${what} "${name}": a key of a window, { key, start, end }, has no codec: ${anew}`)
  const [of, other] = [(left.key ?? canonicalKey).name, (right.key ?? canonicalKey).name]
  if (of === other) return
  const reason = `keys written by ${of} meet keys written by ${other}, and equal ones lie in different partitions`
  throw new PipelineError(`${what} "${name}": ${reason}: ${anew}`)
}

/** Tables whose changes reach a node in memory, by a name that two nodes for one topic share. */
function tablesBefore(node: LogicalNode, found = new Set<unknown>()): Set<unknown> {
  if (node.keyChanged) return found
  if (node.stores.length > 0) found.add(node.options["topic"] ?? node.stores[0]!.name)
  for (const input of node.inputs) tablesBefore(input, found)
  return found
}

const joinTablesOperator: Operator = {
  kind: "join-tables",
  keyDependent: true,
  readsOld: true,
  inputNames: ["left", "right"],
  make: (node, context) => new JoinTables(node, context),
  view(node, context) {
    const [left, right] = node.reads.map((table) => tableReader(table, context)) as [TableReader, TableReader]
    const joined = joining(node.logical)
    return (key) => {
      const [of, other] = [left(key), right(key)]
      return { value: joined(of.value, other.value, key), timestamp: Math.max(timeOf(of), timeOf(other)) }
    }
  },
}

const LEFT = 0

/** A row that was deleted has no time that counts. */
const timeOf = ({ value, timestamp }: Stamped<unknown>): number => (value === undefined ? NO_TIME : timestamp)

/** The result of two rows; undefined where there is none. */
function joining({ functions, options }: LogicalNode): (left: unknown, right: unknown, key: unknown) => unknown {
  const f = functions["f"] as Joiner
  const needsLeft = options["kind"] !== "outer"
  const needsRight = options["kind"] === "inner"
  return (left, right, key) => {
    if (left === undefined && (needsLeft || right === undefined)) return undefined
    if (right === undefined && needsRight) return undefined
    return f(left, right, key) ?? undefined
  }
}

class JoinTables extends Processor {
  readonly #joined = joining(this.node.logical)
  readonly #rows = this.node.reads.map((table) => tableReader(table, this.context))
  readonly #store = this.node.stores.map(({ name }) => this.context.store(name) as KeyValueStore)[0]

  override input(index: number): Receiver {
    return { receive: (record) => this.#receive(record, index) }
  }

  receive(record: StreamRecord): void {
    this.#receive(record, LEFT)
  }

  #receive(record: StreamRecord, side: number): void {
    if (record.old === OUTDATED) return this.context.drop("late", record)
    const { key } = record
    const other = this.#rows[1 - side]!(key)
    const value = this.#join(record, side, record.value, other.value)
    const old = this.#before(record, side, other.value)
    if (value === undefined && isAbsent(old)) return
    const timestamp = Math.max(record.timestamp, timeOf(other))
    this.#store?.put(key, value, timestamp)
    const isShared = this.#store !== undefined && this.node.outlived
    this.next.receive(record.change(key, isShared ? copyOf(this.node, value) : (value ?? TOMBSTONE), old, timestamp))
  }

  #before(record: StreamRecord, side: number, other: unknown): unknown {
    if (this.#store !== undefined) return copyOf(this.node, this.#store.get(record.key).value)
    return this.#join(record, side, record.old, other) ?? TOMBSTONE
  }

  #join(record: StreamRecord, side: number, value: unknown, other: unknown): unknown {
    const own = isAbsent(value) ? undefined : value
    try {
      return side === LEFT ? this.#joined(own, other, record.key) : this.#joined(other, own, record.key)
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }
}

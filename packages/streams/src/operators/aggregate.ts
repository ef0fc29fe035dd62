/**
 * aggregate, reduce, count: one value per key, or per key and window, from all records of that key.
 *
 * State: a store under the operator's name, with its changelog. Over windows: window-aggregate.ts, sliding-aggregate.ts,
 * session-aggregate.ts; over a grouped table: aggregate-table.ts.
 * Time: a row has the greatest timestamp of the records in it, and so has each change.
 * With `ttl` rows go in time: expiring-table.ts; a record that would make a row that is gone is dropped and counted.
 * Every update is emitted: the output depends on the input alone, not on when transactions commit.
 * Records without key or value are dropped and counted. `init` is called when the key has no row; `add` answering null or
 * undefined deletes the row.
 */
import type { Serde } from "@millrace/schema"
import type { Duration } from "../dsl/duration.ts"
import { isAbsent, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type Aggregable, type AggregableKind, flowOf, type Table, tableOf, type WindowKind } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import type { KeyValueStore } from "../state/key-value-store.ts"
import { type LogicalNode, makeNode, type StoreSpec } from "../topology/node.ts"
import { aggregateTableOperator } from "./aggregate-table.ts"
import { addByStream, isCogroup } from "./cogroup.ts"
import { expire, expireAt, expiringRows } from "./expiring-table.ts"
import { rowSerde } from "./group-table.ts"
import { copyOf, type Operator, Processor } from "./operator.ts"
import { tableStores } from "./table-store.ts"
import { windowedNode } from "./windowed-node.ts"

/** What an aggregate must say beyond `init` and `add`, by what it is over. */
type Also<K, V, A, Kind> = Kind extends "session"
  ? { readonly merge: (left: A, right: A) => A } & ForReaders
  : Kind extends "table"
    ? { readonly subtract: (aggregate: A, value: V, key: K) => A }
    : Kind extends "stream"
      ? ForATime
      : ForReaders

interface ForATime {
  /** A row goes once the operator's stream time is its timestamp and so much beyond it. */
  readonly ttl?: Duration
}

interface ForReaders {
  /**
   * For how long after its start a window can be read, of sessions after their end, in the operator's stream time: at least
   * size and grace, which is the default. What is late goes by grace alone.
   */
  readonly retention?: Duration
}

type Reduction<V, Kind> = { readonly value?: Serde<V> } & (Kind extends "table"
  ? { readonly subtract: (reduced: V, value: V) => V }
  : Kind extends "stream"
    ? ForATime
    : ForReaders)

/** One callback, or one for each stream by its name. */
type Adding<K, V, A, Names> = [Names] extends [null]
  ? (aggregate: A, value: V, key: K) => A
  : { readonly [N in NoInfer<Names> & PropertyKey]: (aggregate: A, value: NoInfer<V>[N & keyof V], key: K) => A }

type Aggregation<K, V, A, Kind, Names> = {
  readonly init: () => A
  readonly add: Adding<K, V, A, Names>
  readonly value?: Serde<A>
} & Also<K, V, A, Kind>

const aggregateOperator: Operator = {
  kind: "aggregate",
  keyDependent: true,
  make: (node, context) => new Aggregate(node, context),
}

export function aggregate<K, V, A, Kind extends AggregableKind, R, Names>(
  name: string,
  options: Aggregation<K, V, A, Kind, Names>,
): (s: Aggregable<K, V, Kind, R, Names>) => Table<K, A, R> {
  return (s) => aggregateNode("aggregate", name, s, options as Parts)
}

/** How many records. */
export function count(
  name: string,
): <K, V, R, Names>(s: Aggregable<K, V, AggregableKind, R, Names>) => Table<K, number, R>
export function count(
  name: string,
  options: ForATime,
): <K, V, R, Names>(s: Aggregable<K, V, "stream", R, Names>) => Table<K, number, R>
export function count(
  name: string,
  options: ForReaders,
): <K, V, R, Names>(s: Aggregable<K, V, WindowKind, R, Names>) => Table<K, number, R>
export function count(name: string, options: ForATime & ForReaders = {}): (s: any) => any {
  return (s) =>
    aggregateNode("count", name, s, {
      ...options,
      init: () => 0,
      add: (total: number) => total + 1,
      subtract: (total: number) => total - 1,
      merge: (left: number, right: number) => left + right,
    })
}

/** One value from two, again and again; the first record of a key is the first value. */
export function reduce<K, V, Kind extends AggregableKind, R>(
  name: string,
  f: (reduced: V, value: V) => V,
  ...options: Kind extends "table" ? [Reduction<V, Kind>] : [Reduction<V, Kind>?]
): (s: Aggregable<K, V, Kind, R>) => Table<K, V, R>
export function reduce(
  name: string,
  f: (reduced: any, value: any) => any,
  options: Partial<Reduction<any, "table">> & ForATime & ForReaders = {},
): (s: any) => Table<any, any, any> {
  const add = (reduced: unknown, value: unknown) => (reduced === undefined ? value : f(reduced, value))
  return (s) => aggregateNode("reduce", name, s, { init: () => undefined, add, merge: f, keepsValue: true, ...options })
}

interface Parts {
  readonly init: () => unknown
  readonly add: ((...args: any[]) => unknown) | { readonly [stream: string]: (...args: any[]) => unknown }
  readonly merge?: (...args: any[]) => unknown
  readonly subtract?: (...args: any[]) => unknown
  readonly value?: Serde<any>
  readonly keepsValue?: boolean
  readonly ttl?: Duration
  readonly retention?: Duration
}

function aggregateNode(what: string, name: string, s: unknown, parts: Parts): Table<any, any, any> {
  const { kind, node: input, windows } = flowOf(what, s, "stream", "windowing", "grouped table", "cogroup")
  const value = parts.value ?? (parts.keepsValue === true ? (rowSerde(input) ?? input.value) : undefined)
  const add = addOf(what, name, input, parts)
  const { ttl, retention } = parts
  if (ttl !== undefined && (windows !== undefined || kind === "grouped table"))
    throw new PipelineError(`${what} "${name}": a ttl is for streams without windows`)
  if (retention !== undefined && windows === undefined)
    throw new PipelineError(`${what} "${name}": a retention is for windows`)
  const store: StoreSpec = { name, kind: "key-value", key: input.key, value }
  const common = { name, inputs: [input], functions: { init: parts.init, add }, value, keyChanged: false }
  if (kind === "grouped table") {
    const functions = { ...common.functions, subtract: parts.subtract ?? missing(what, name, ...SUBTRACT) }
    return tableOf(makeNode({ operator: aggregateTableOperator, ...common, functions, stores: [store] }))
  }
  if (windows === undefined) {
    const { stores, ...history } = tableStores(`${what} "${name}"`, store, ttl === undefined ? {} : { ttl })
    return tableOf(makeNode({ operator: aggregateOperator, stores, options: history, ...common }))
  }
  const functions: LogicalNode["functions"] =
    windows._kind === "session"
      ? { ...common.functions, merge: parts.merge ?? missing(what, name, ...MERGE) }
      : common.functions
  return tableOf(makeNode(windowedNode(`${what} "${name}"`, windows, { ...common, functions }, store, retention)))
}

function addOf(
  what: string,
  name: string,
  input: LogicalNode,
  { add, keepsValue }: Parts,
): (...args: any[]) => unknown {
  if (isCogroup(input)) {
    if (keepsValue === true) throw new PipelineError(`${what} "${name}": takes one stream; aggregate takes a cogroup`)
    if (what !== "count") return addByStream(name, input, add)
  }
  if (typeof add !== "function") throw new PipelineError(`${what} "${name}": add is a callback`)
  return add
}

const MERGE = ["sessions", "merge, which makes one value of two"] as const
const SUBTRACT = ["a grouped table", "subtract, which takes out what a row no longer is"] as const

/** The compiler asks for it; JavaScript is told at once too. */
function missing(what: string, name: string, over: string, needs: string): never {
  throw new PipelineError(`${what} "${name}": over ${over} it needs ${needs}`)
}

class Aggregate extends Processor {
  readonly #init = this.node.logical.functions["init"] as () => unknown
  readonly #add = this.node.logical.functions["add"] as (aggregate: unknown, value: unknown, key: unknown) => unknown
  readonly #store = this.context.store(this.node.stores[0]!.name) as KeyValueStore
  readonly #expiring = expiringRows(this.node, this.context)

  override advance(time: number, at: StreamRecord): void {
    if (this.#expiring !== undefined) expireAt(this, this.#expiring, time, at)
  }

  receive(record: StreamRecord): void {
    const { key } = record
    if (isAbsent(key)) return this.context.drop("null-key", record)
    if (isAbsent(record.value)) return this.context.drop("tombstone", record)
    const clock = this.#expiring && expire(this, this.#expiring, record)
    const row = this.#store.get(key)
    // A deleted row's time is forgotten, whether or not the deletion has been committed.
    const timestamp = row.value === undefined ? record.timestamp : Math.max(row.timestamp, record.timestamp)
    if (clock !== undefined && this.#expiring!.isPast(timestamp, clock)) return this.context.drop("late", record)
    const old = this.node.needsOld ? copyOf(this.node, row.value) : TOMBSTONE
    let value: unknown
    try {
      value = this.#add(row.value === undefined ? this.#init() : row.value, record.value, key)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    const kept = value === null ? undefined : value
    const rows = this.#expiring ?? this.#store
    rows.put(key, kept, timestamp)
    const sent = this.node.outlived ? copyOf(this.node, kept) : (kept ?? TOMBSTONE)
    this.next.receive(record.change(key, sent, old, timestamp))
  }
}

/**
 * The types that a pipeline is written in, and the one class behind them.
 *
 * R names the services that effects inside need before the pipeline can run. Every stream is keyed: operators that
 * change the key mark the stream, and the next operator that depends on the key repartitions it first.
 */
import { PipelineError } from "../errors.ts"
import type { LogicalNode } from "../topology/node.ts"
import { applyInTurn, type Pipeable } from "./pipeable.ts"
import type { Windowed } from "./record.ts"
import type { Windows } from "./windows.ts"

/** Records of type V keyed by K. */
export interface Stream<K, V, R = never>
  extends Pipeable<Stream<K, V, R>>, Keyed<K, V, "stream", R>, Aggregable<K, V, "stream", R> {
  readonly _stream: [K, V]
}

/** The latest value per key. Its edges carry the old and the new value. */
export interface Table<K, V, R = never> extends Pipeable<Table<K, V, R>>, Keyed<K, V, "table", R> {
  readonly _table: [K, V]
}

/** The rows of a table under another key, which several may share: for aggregate, count and reduce. */
export interface GroupedTable<K, V, R = never> extends Pipeable<GroupedTable<K, V, R>>, Aggregable<K, V, "table", R> {}

/** Several streams with one key, by name: aggregate takes a callback for each. */
export interface Cogrouped<K, Values, R = never>
  extends Pipeable<Cogrouped<K, Values, R>>, Aggregable<K, Values, "stream", R, keyof Values> {}

export type KeyedKind = "stream" | "table"

/** What keyBy takes. Kind says what comes of it. */
export interface Keyed<K, V, Kind extends KeyedKind, R> {
  readonly _keyed: [K, V, Kind]
  readonly _R: () => R
}

/** The latest value per key, all of it in every process: read by key, and never in motion. */
export interface GlobalTable<K, V> {
  readonly _globalTable: [K, V]
}

export type WindowKind = Windows["_kind"]

export type AggregableKind = "stream" | WindowKind | "table"

/**
 * What aggregate, count and reduce take. Kind says what the aggregate must supply. Of several streams Names are theirs, and
 * V has the type of each.
 */
export interface Aggregable<K, V, Kind extends AggregableKind, R, Names = null> {
  readonly _agg: [K, V, Kind, Names]
  readonly _R: () => R
}

export interface Windowing<K, V, Kind extends WindowKind, R, Names = null>
  extends Pipeable<Windowing<K, V, Kind, R, Names>>, Aggregable<Windowed<K>, V, Kind, R, Names> {}

/** The end of a flow. */
export interface Sink<R> {
  readonly _sink: true
  readonly _R: () => R
}

export type FlowKind = "stream" | "table" | "grouped table" | "cogroup" | "global table" | "windowing" | "sink"

/** What all of the above are at run time; the phantom members exist for the compiler alone. */
export class Flow {
  readonly kind: FlowKind
  readonly node: LogicalNode
  readonly windows: Windows | undefined

  constructor(kind: FlowKind, node: LogicalNode, windows?: Windows) {
    this.kind = kind
    this.node = node
    this.windows = windows
  }

  pipe(...operators: Array<(input: any) => unknown>): any {
    return applyInTurn(this, operators)
  }
}

export const streamOf = <K, V, R>(node: LogicalNode): Stream<K, V, R> =>
  new Flow("stream", node) as unknown as Stream<K, V, R>

export const tableOf = <K, V, R>(node: LogicalNode): Table<K, V, R> =>
  new Flow("table", node) as unknown as Table<K, V, R>

/** The flow behind a value given to `operator`; those who write JavaScript get a clear error too. */
export function flowOf(operator: string, value: unknown, ...kinds: FlowKind[]): Flow {
  if (value instanceof Flow && kinds.includes(value.kind)) return value
  const got = value instanceof Flow ? `a ${value.kind}` : typeof value
  throw new PipelineError(`${operator} takes a ${kinds.join(" or a ")}, got ${got}`)
}

/** The node of the stream given to a stateless operator. */
export const streamNode = (operator: string, value: unknown): LogicalNode => flowOf(operator, value, "stream").node

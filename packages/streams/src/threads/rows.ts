/**
 * Rows and their changes between threads, as their serdes write them: an object posted to another thread would lose its class.
 */
import type { Change } from "../query/changes.ts"
import type { PartitionResult, Query, QueryResult, Row, Rows } from "../query/query.ts"
import type { StoreInfo } from "../query/stores.ts"

interface PackedRow {
  readonly key: Uint8Array
  /** Of a windowed key. */
  readonly window: { readonly start: number; readonly end: number } | undefined
  readonly value: Uint8Array
  readonly rest: Omit<Row<unknown, unknown>, "key" | "value">
}

type PackedAnswer =
  | { readonly row: PackedRow | undefined }
  | { readonly rows: PackedRow[]; readonly next: string | undefined }

export type PackedResult = ReadonlyArray<readonly [partition: number, result: PartitionResult<PackedAnswer>]>

export function packResult({ partitions }: QueryResult<any>, { kind }: Query, info: StoreInfo): PackedResult {
  const pack = (row: Row<any, any>) => packRow(row, info)
  return [...partitions].map(([partition, result]) => {
    if (!result.ok) return [partition, result]
    if (kind === "key") return [partition, { ...result, result: { row: result.result && pack(result.result) } }]
    const { rows, next } = result.result as Rows<any, any>
    return [partition, { ...result, result: { rows: rows.map(pack), next } }]
  })
}

export function unpackResult(result: PartitionResult<PackedAnswer>, info: StoreInfo): PartitionResult<any> {
  if (!result.ok) return result
  const packed = result.result
  if ("row" in packed) return { ...result, result: packed.row && unpackRow(packed.row, info) }
  return { ...result, result: { rows: packed.rows.map((row) => unpackRow(row, info)), next: packed.next } }
}

function packRow({ key, value, ...rest }: Row<any, any>, { kind, serdes }: StoreInfo): PackedRow {
  const window = kind === "window" ? { start: key.start, end: key.end } : undefined
  return { key: serdes.key.encode(window ? key.key : key), window, value: serdes.value.encode(value), rest }
}

function unpackRow({ key, window, value, rest }: PackedRow, { serdes }: StoreInfo): Row<any, any> {
  const plain = serdes.key.decode(key)
  return { key: window ? { key: plain, ...window } : plain, value: serdes.value.decode(value), ...rest }
}

export interface PackedChange {
  readonly key: Uint8Array
  readonly window: PackedRow["window"]
  /** Undefined: there is no row any more. */
  readonly value: Uint8Array | undefined
  readonly rest: Omit<Change<unknown, unknown>, "key" | "value">
}

export function packChange({ key, value, ...rest }: Change<any, any>, { kind, serdes }: StoreInfo): PackedChange {
  const window = kind === "window" ? { start: key.start, end: key.end } : undefined
  const bytes = value === undefined ? undefined : serdes.value.encode(value)
  return { key: serdes.key.encode(window ? key.key : key), window, value: bytes, rest }
}

export function unpackChange({ key, window, value, rest }: PackedChange, { serdes }: StoreInfo): Change<any, any> {
  const plain = serdes.key.decode(key)
  return { key: window ? { key: plain, ...window } : plain, value: value && serdes.value.decode(value), ...rest }
}

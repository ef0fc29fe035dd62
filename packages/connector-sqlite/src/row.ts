/**
 * A record as a row: columns of its key and its value, or the key of a row to delete. Pure.
 *
 * Numbers, text and bytes are stored as they are, booleans as 0 and 1, structs, maps and arrays as JSON text. A column's
 * type comes from the schema; without one, from the value.
 */
import { type ConnectSchema, DataError, isPlainObject, type SinkRecord } from "@millrace/connect/sdk"
import { KAFKA_COLUMNS, type SqliteSinkSettings } from "./sqlite-config.ts"

export type ColumnType = "INTEGER" | "REAL" | "TEXT" | "BLOB"
export type Cell = number | string | Uint8Array | null

export interface Column {
  readonly name: string
  readonly type: ColumnType
  /** Part of the primary key. */
  readonly key: boolean
}

export interface Row {
  readonly table: string
  readonly columns: readonly Column[]
  readonly cells: readonly Cell[]
  /** Only the key columns are given, and the row goes. */
  readonly isDelete: boolean
}

type Settings = Pick<
  SqliteSinkSettings,
  "table.name.format" | "pk.mode" | "pk.fields" | "fields.whitelist" | "delete.enabled"
>

export function rowOf(settings: Settings, record: SinkRecord): Row {
  const table = settings["table.name.format"].replaceAll("${topic}", record.topic)
  const isDelete = record.value === null || record.value === undefined
  if (isDelete && !(settings["delete.enabled"] && settings["pk.mode"] === "record_key")) {
    throw new DataError("a record without value needs delete.enabled=true and pk.mode=record_key")
  }
  const columns: Column[] = []
  const cells: Cell[] = []
  const add = (name: string, schema: ConnectSchema | undefined, value: unknown, key: boolean) => {
    if (columns.some((column) => column.name === name)) return
    const cell = cellOf(value)
    if (key && cell === null) throw new DataError(`primary key column ${name} is null`)
    columns.push({ name, type: columnType(schema, cell), key })
    cells.push(cell)
  }
  addKey(settings, record, add)
  if (!isDelete) addFields(settings, record, add)
  return { table, columns, cells, isDelete }
}

type Add = (name: string, schema: ConnectSchema | undefined, value: unknown, key: boolean) => void

function addKey(settings: Settings, record: SinkRecord, add: Add): void {
  const names = settings["pk.fields"]
  switch (settings["pk.mode"]) {
    case "none":
      return
    case "kafka": {
      const values = [record.topic, record.partition, record.offset]
      for (const [index, value] of values.entries()) add(names[index] ?? KAFKA_COLUMNS[index]!, undefined, value, true)
      return
    }
    case "record_key":
      return addRecordKey(names, record, add)
    case "record_value": {
      if (!isPlainObject(record.value)) throw new DataError("pk.mode=record_value needs records that are objects")
      for (const name of names) addField(record.value, record.valueSchema, name, "value", add)
    }
  }
}

function addRecordKey(names: readonly string[], record: SinkRecord, add: Add): void {
  const { key, keySchema } = record
  if (key === null || key === undefined) throw new DataError("pk.mode=record_key needs records with a key")
  if (!isPlainObject(key)) {
    if (names.length !== 1) throw new DataError("a primitive key needs one name in pk.fields for its column")
    return add(names[0]!, keySchema, key, true)
  }
  for (const name of names.length > 0 ? names : Object.keys(key)) addField(key, keySchema, name, "key", add)
}

function addField(
  from: Record<string, unknown>,
  schema: ConnectSchema | undefined,
  name: string,
  of: string,
  add: Add,
): void {
  if (!(name in from)) throw new DataError(`pk.fields names ${name}, which the record's ${of} lacks`)
  add(name, fieldSchema(schema, name), from[name], true)
}

function addFields(settings: Settings, record: SinkRecord, add: Add): void {
  const { value, valueSchema } = record
  if (!isPlainObject(value)) throw new DataError("a row needs a record whose value is an object")
  const wanted = settings["fields.whitelist"]
  const names = valueSchema?.fields?.map((field) => field.name) ?? Object.keys(value)
  for (const name of names) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    add(name, fieldSchema(valueSchema, name), value[name] ?? null, false)
  }
}

const fieldSchema = (schema: ConnectSchema | undefined, name: string): ConnectSchema | undefined =>
  schema?.fields?.find((field) => field.name === name)?.schema

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (typeof value === "boolean") return value ? 1 : 0
  if (typeof value === "number" || typeof value === "string" || value instanceof Uint8Array) return value
  return JSON.stringify(value)
}

function columnType(schema: ConnectSchema | undefined, cell: Cell): ColumnType {
  switch (schema?.type) {
    case undefined:
      if (typeof cell === "number") return Number.isInteger(cell) ? "INTEGER" : "REAL"
      return cell instanceof Uint8Array ? "BLOB" : "TEXT"
    case "int8":
    case "int16":
    case "int32":
    case "int64":
    case "boolean":
      return "INTEGER"
    case "float32":
    case "float64":
      return "REAL"
    case "bytes":
      return "BLOB"
    default:
      return "TEXT"
  }
}

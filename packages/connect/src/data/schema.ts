/**
 * Connect's data model: what a source hands over and a sink gets, whatever the bytes in the topic look like.
 *
 * A schema is Kafka Connect's: one of twelve types, optional or not, with a name, version, default and parameters.
 * Values are plain JavaScript: integers and floats are numbers (int64 safe integers), bytes are Uint8Array, structs and
 * maps are plain objects. A logical type (Decimal, Date, Time, Timestamp) is carried as the primitive it is stored as;
 * its schema's name says what it means. A schemaless value has schema `undefined`.
 */

export const PRIMITIVE_TYPES = [
  "int8",
  "int16",
  "int32",
  "int64",
  "float32",
  "float64",
  "boolean",
  "string",
  "bytes",
] as const

export type PrimitiveType = (typeof PRIMITIVE_TYPES)[number]
export type SchemaType = PrimitiveType | "array" | "map" | "struct"

export interface Field {
  readonly name: string
  readonly schema: ConnectSchema
}

export interface ConnectSchema {
  readonly type: SchemaType
  readonly optional?: boolean
  readonly name?: string
  readonly version?: number
  readonly doc?: string
  readonly default?: unknown
  readonly parameters?: Readonly<Record<string, string>>
  /** Of a struct, in order. */
  readonly fields?: readonly Field[]
  /** Of an array. */
  readonly items?: ConnectSchema
  /** Of a map. */
  readonly keys?: ConnectSchema
  readonly values?: ConnectSchema
}

export const LogicalName = {
  decimal: "org.apache.kafka.connect.data.Decimal",
  date: "org.apache.kafka.connect.data.Date",
  time: "org.apache.kafka.connect.data.Time",
  timestamp: "org.apache.kafka.connect.data.Timestamp",
} as const

const INTEGER_BITS: Partial<Record<SchemaType, number>> = { int8: 8, int16: 16, int32: 32 }

/** A value that does not have its schema's shape, or bytes that are no such value. Names where and what was found. */
export class DataError extends Error {
  override readonly name = "DataError"
}

export const struct = (name: string, fields: Readonly<Record<string, ConnectSchema>>): ConnectSchema => ({
  type: "struct",
  name,
  fields: Object.entries(fields).map(([field, schema]) => ({ name: field, schema })),
})

/** Throws a DataError that names the path of the first part of `value` that does not fit. */
export function checkValue(schema: ConnectSchema, value: unknown, path = "value"): void {
  if (value === null || value === undefined) {
    if (schema.optional || schema.default !== undefined) return
    throw new DataError(`${path} is missing: its schema says ${schema.type}, not optional`)
  }
  switch (schema.type) {
    case "int8":
    case "int16":
    case "int32":
      return checkInteger(schema.type, value, path)
    case "int64":
      if (!Number.isSafeInteger(value)) throw mismatch(path, "int64", value)
      return
    case "float32":
    case "float64":
      if (typeof value !== "number") throw mismatch(path, schema.type, value)
      return
    case "boolean":
    case "string":
      if (typeof value !== schema.type) throw mismatch(path, schema.type, value)
      return
    case "bytes":
      if (!(value instanceof Uint8Array)) throw mismatch(path, "bytes", value)
      return
    case "array":
      if (!Array.isArray(value)) throw mismatch(path, "array", value)
      for (const [index, item] of value.entries()) checkValue(schema.items!, item, `${path}[${index}]`)
      return
    case "map":
      if (!isPlainObject(value)) throw mismatch(path, "map", value)
      for (const key of Object.keys(value)) checkValue(schema.values!, value[key], `${path}.${key}`)
      return
    case "struct":
      if (!isPlainObject(value)) throw mismatch(path, "struct", value)
      for (const field of schema.fields!) checkValue(field.schema, value[field.name], `${path}.${field.name}`)
  }
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

function checkInteger(type: SchemaType, value: unknown, path: string): void {
  const bound = 2 ** (INTEGER_BITS[type]! - 1)
  if (!Number.isInteger(value) || (value as number) < -bound || (value as number) >= bound) {
    throw mismatch(path, type, value)
  }
}

const SHOWN_CHARACTERS_MAX = 60

function mismatch(path: string, expected: string, value: unknown): DataError {
  return new DataError(`${path} should be ${expected} but is ${show(value)}`)
}

/** A value as an error message shows it: short, with its type visible. */
export function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const text = typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value))
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text
}

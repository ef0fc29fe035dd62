/**
 * Avro schemas and Connect schemas, each from the other.
 *
 * What Connect has and Avro lacks travels as attributes (`connect.type` for int8 and int16), what Avro has and Connect
 * lacks as parameters (`avro.enum.symbols`, `avro.fixed.size`): a schema keeps its meaning through both directions.
 * Logical types map to Connect's Decimal, Date, Time and Timestamp; the values stay the primitives they are stored as.
 * A union is null with one other type; Connect has no type for any other union, nor for records that contain themselves.
 */
import { parseAvro } from "@millrace/schema/avro/parse"
import type { AvroType } from "@millrace/schema/avro/schema"
import { type ConnectSchema, DataError, type Field, LogicalName } from "../data/schema.ts"

type Json = unknown
type Attributes = Record<string, Json>

const ENUM = "avro.enum.symbols"
const FIXED = "avro.fixed.size"
const DECIMAL_PRECISION = "connect.decimal.precision"
const DECIMAL_PRECISION_DEFAULT = 64

/** The name of a record whose Connect schema has none. */
const UNNAMED_RECORD = "ConnectDefault"

// --- Avro -> Connect ---------------------------------------------------------------------------------------------

/** The Connect schema of an Avro schema's text. */
export const connectSchemaOfAvro = (text: string): ConnectSchema => avroToConnect(parseAvro(text).type)

export function avroToConnect(type: AvroType): ConnectSchema {
  return toConnect(type, [], "schema")
}

function toConnect(type: AvroType, enclosing: readonly string[], path: string): ConnectSchema {
  switch (type.type) {
    case "union":
      return unionToConnect(type.branches, enclosing, path)
    case "record": {
      if (enclosing.includes(type.name)) throw new DataError(`${path}: ${type.name} contains itself`)
      const within = [...enclosing, type.name]
      const fields = type.fields.map((field): Field => {
        const schema = toConnect(field.type, within, `${path}.${field.name}`)
        const doc = field.doc === undefined ? {} : { doc: field.doc }
        return { name: field.name, schema: { ...schema, ...doc, ...defaultFromAvro(schema, field.default) } }
      })
      return { type: "struct", name: type.name, ...(type.doc !== undefined && { doc: type.doc }), fields }
    }
    case "enum":
      return { type: "string", name: type.name, parameters: { [ENUM]: type.symbols.join(",") } }
    case "fixed":
      return { ...bytesToConnect(type.properties), name: type.name, parameters: fixedParameters(type) }
    case "array":
      return { type: "array", items: toConnect(type.items, enclosing, `${path}[]`) }
    case "map":
      return { type: "map", keys: { type: "string" }, values: toConnect(type.values, enclosing, `${path}{}`) }
    case "null":
      throw new DataError(`${path}: Connect has no type for null alone`)
    default:
      return primitiveToConnect(type.type, type.properties)
  }
}

function unionToConnect(branches: readonly AvroType[], enclosing: readonly string[], path: string): ConnectSchema {
  const present = branches.filter((branch) => branch.type !== "null")
  if (present.length !== 1) {
    throw new DataError(
      `${path}: Connect has no type for a union of ${branches.map((branch) => branch.type).join(", ")}`,
    )
  }
  const schema = toConnect(present[0]!, enclosing, path)
  return present.length < branches.length ? { ...schema, optional: true } : schema
}

type Properties = Readonly<Record<string, Json>>

function primitiveToConnect(type: string, properties: Properties): ConnectSchema {
  const logical = properties["logicalType"]
  switch (type) {
    case "int":
      if (logical === "date") return { type: "int32", name: LogicalName.date, version: 1 }
      if (logical === "time-millis") return { type: "int32", name: LogicalName.time, version: 1 }
      return { type: smallInteger(properties["connect.type"]) }
    case "long":
      return logical === "timestamp-millis"
        ? { type: "int64", name: LogicalName.timestamp, version: 1 }
        : { type: "int64" }
    case "float":
      return { type: "float32" }
    case "double":
      return { type: "float64" }
    case "bytes":
      return bytesToConnect(properties)
    default:
      return { type: type as "boolean" | "string" }
  }
}

const smallInteger = (type: Json) => (type === "int8" || type === "int16" ? type : "int32")

function bytesToConnect(properties: Properties): ConnectSchema {
  if (properties["logicalType"] !== "decimal") return { type: "bytes" }
  const precision = properties["precision"]
  return {
    type: "bytes",
    name: LogicalName.decimal,
    version: 1,
    parameters: {
      scale: String(properties["scale"] ?? 0),
      ...(precision !== undefined &&
        precision !== DECIMAL_PRECISION_DEFAULT && { [DECIMAL_PRECISION]: String(precision) }),
    },
  }
}

const fixedParameters = (type: { readonly size: number; readonly properties: Properties }): Record<string, string> => ({
  ...bytesToConnect(type.properties).parameters,
  [FIXED]: String(type.size),
})

function defaultFromAvro(schema: ConnectSchema, value: Json): { default?: unknown } {
  if (value === undefined || value === null) return {}
  return { default: schema.type === "bytes" ? Buffer.from(value as string, "latin1") : value }
}

// --- Connect -> Avro ---------------------------------------------------------------------------------------------

/** The Avro schema as JSON. `name` is for a struct without a name of its own, and derives names for those inside it. */
export function connectToAvro(schema: ConnectSchema, name = UNNAMED_RECORD): Json {
  return toAvro(schema, name, new Map())
}

function toAvro(schema: ConnectSchema, name: string, defined: Map<string, ConnectSchema>): Json {
  const present = presentToAvro(schema, name, defined)
  return schema.optional ? ["null", present] : present
}

function presentToAvro(schema: ConnectSchema, name: string, defined: Map<string, ConnectSchema>): Json {
  switch (schema.type) {
    case "struct":
      return recordToAvro(schema, schema.name ?? name, defined)
    case "array":
      return { type: "array", items: toAvro(schema.items!, `${name}Item`, defined) }
    case "map":
      if (schema.keys!.type !== "string") throw new DataError("Avro maps have string keys only")
      return { type: "map", values: toAvro(schema.values!, `${name}Value`, defined) }
    case "int8":
    case "int16":
      return { type: "int", "connect.type": schema.type }
    case "int32":
      if (schema.name === LogicalName.date) return { type: "int", logicalType: "date" }
      return schema.name === LogicalName.time ? { type: "int", logicalType: "time-millis" } : "int"
    case "int64":
      return schema.name === LogicalName.timestamp ? { type: "long", logicalType: "timestamp-millis" } : "long"
    case "float32":
      return "float"
    case "float64":
      return "double"
    case "string":
      return schema.parameters?.[ENUM] === undefined ? "string" : enumToAvro(schema, defined)
    case "bytes":
      return bytesToAvro(schema, defined)
    case "boolean":
      return "boolean"
  }
}

function recordToAvro(schema: ConnectSchema, fullName: string, defined: Map<string, ConnectSchema>): Json {
  if (isDefined(fullName, schema, defined)) return fullName
  return {
    type: "record",
    ...nameAttributes(fullName),
    ...(schema.doc !== undefined && { doc: schema.doc }),
    fields: schema.fields!.map((field) => ({
      name: field.name,
      ...fieldType(field, `${fullName}${capitalized(field.name)}`, defined),
      ...(field.schema.doc !== undefined && { doc: field.schema.doc }),
    })),
  }
}

/** A default must be of a union's first branch: an optional field with a default other than null turns its union round. */
function fieldType({ schema }: Field, name: string, defined: Map<string, ConnectSchema>): Attributes {
  const value = schema.default
  const type = toAvro(schema, name, defined)
  if (value === undefined) return schema.optional ? { type, default: null } : { type }
  const json = value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value
  return { type: schema.optional ? [(type as Json[])[1], "null"] : type, default: json }
}

function enumToAvro(schema: ConnectSchema, defined: Map<string, ConnectSchema>): Json {
  const fullName = schema.name ?? `${UNNAMED_RECORD}Enum`
  if (isDefined(fullName, schema, defined)) return fullName
  return { type: "enum", ...nameAttributes(fullName), symbols: schema.parameters![ENUM]!.split(",") }
}

function bytesToAvro(schema: ConnectSchema, defined: Map<string, ConnectSchema>): Json {
  const { parameters } = schema
  const decimal = parameters?.["scale"] !== undefined && {
    logicalType: "decimal",
    precision: Number(parameters[DECIMAL_PRECISION] ?? DECIMAL_PRECISION_DEFAULT),
    scale: Number(parameters["scale"]),
  }
  const size = parameters?.[FIXED]
  if (size === undefined || schema.name === undefined) return decimal ? { type: "bytes", ...decimal } : "bytes"
  if (isDefined(schema.name, schema, defined)) return schema.name
  return { type: "fixed", ...nameAttributes(schema.name), size: Number(size), ...decimal }
}

/** A name is defined where it is first used; a different schema under the same name is an error. */
function isDefined(fullName: string, schema: ConnectSchema, defined: Map<string, ConnectSchema>): boolean {
  const known = defined.get(fullName)
  if (!known) {
    defined.set(fullName, schema)
    return false
  }
  const same = JSON.stringify({ ...known, optional: 0 }) === JSON.stringify({ ...schema, optional: 0 })
  if (!same) throw new DataError(`two different schemas have the name ${fullName}`)
  return true
}

function nameAttributes(fullName: string): Attributes {
  const dot = fullName.lastIndexOf(".")
  return dot < 0 ? { name: fullName } : { name: fullName.slice(dot + 1), namespace: fullName.slice(0, dot) }
}

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

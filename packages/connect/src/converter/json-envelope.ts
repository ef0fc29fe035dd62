/**
 * Kafka Connect's JSON form of schemas and of values with a schema.
 *
 *   {"schema": {"type":"struct","name":"Order","optional":false,"fields":[{"field":"id","type":"int64",…}]},
 *    "payload": {"id": 7}}
 *
 * In a payload bytes are base64, a map with string keys is an object, any other map a list of pairs, and a Decimal is the
 * base64 of its unscaled bytes or a number, as `decimal.format` says. Fields appear in the order Kafka writes them.
 */
import {
  type ConnectSchema,
  DataError,
  type Field,
  isPlainObject,
  LogicalName,
  type SchemaType,
} from "../data/schema.ts"
import { decimalFromText, decimalToText } from "./decimal.ts"

export interface PayloadOptions {
  readonly decimalFormat: "BASE64" | "NUMERIC"
  readonly replaceNullWithDefault: boolean
}

/** Kafka's JSON names differ from the model's for the two floats only. */
const JSON_TYPE: Partial<Record<SchemaType, string>> = { float32: "float", float64: "double" }
const MODEL_TYPE: Readonly<Record<string, SchemaType>> = {
  int8: "int8",
  int16: "int16",
  int32: "int32",
  int64: "int64",
  float: "float32",
  double: "float64",
  boolean: "boolean",
  string: "string",
  bytes: "bytes",
  array: "array",
  map: "map",
  struct: "struct",
}

export function schemaToJson(schema: ConnectSchema, options: PayloadOptions): Record<string, unknown> {
  const json: Record<string, unknown> = { type: JSON_TYPE[schema.type] ?? schema.type }
  if (schema.type === "array") json["items"] = schemaToJson(schema.items!, options)
  if (schema.type === "map") {
    json["keys"] = schemaToJson(schema.keys!, options)
    json["values"] = schemaToJson(schema.values!, options)
  }
  if (schema.type === "struct") {
    json["fields"] = schema.fields!.map((field) => ({ ...schemaToJson(field.schema, options), field: field.name }))
  }
  json["optional"] = schema.optional ?? false
  if (schema.name !== undefined) json["name"] = schema.name
  if (schema.version !== undefined) json["version"] = schema.version
  if (schema.doc !== undefined) json["doc"] = schema.doc
  if (schema.parameters !== undefined) json["parameters"] = schema.parameters
  if (schema.default !== undefined) json["default"] = payloadToJson(schema, schema.default, options)
  return json
}

export function schemaFromJson(json: unknown, options: PayloadOptions, path = "schema"): ConnectSchema {
  if (!isPlainObject(json)) throw new DataError(`${path} is not an object`)
  const type = MODEL_TYPE[json["type"] as string]
  if (!type) throw new DataError(`${path}.type ${JSON.stringify(json["type"])} is not one of ${knownTypes()}`)
  const bare: ConnectSchema = {
    type,
    ...(json["optional"] === true && { optional: true }),
    ...(typeof json["name"] === "string" && { name: json["name"] }),
    ...(typeof json["version"] === "number" && { version: json["version"] }),
    ...(typeof json["doc"] === "string" && { doc: json["doc"] }),
    ...(isPlainObject(json["parameters"]) && { parameters: json["parameters"] as Record<string, string> }),
    ...(type === "array" && { items: schemaFromJson(json["items"], options, `${path}.items`) }),
    ...(type === "map" && {
      keys: schemaFromJson(json["keys"], options, `${path}.keys`),
      values: schemaFromJson(json["values"], options, `${path}.values`),
    }),
    ...(type === "struct" && { fields: fieldsFromJson(json["fields"], options, path) }),
  }
  if (json["default"] === undefined || json["default"] === null) return bare
  return { ...bare, default: payloadFromJson(bare, json["default"], options, `${path}.default`) }
}

function fieldsFromJson(json: unknown, options: PayloadOptions, path: string): Field[] {
  if (!Array.isArray(json)) throw new DataError(`${path}.fields is not a list`)
  return json.map((field: unknown, index) => {
    const name = isPlainObject(field) ? field["field"] : undefined
    if (typeof name !== "string") throw new DataError(`${path}.fields[${index}].field is not a name`)
    return { name, schema: schemaFromJson(field, options, `${path}.${name}`) }
  })
}

/** A value of `schema` as JSON; the caller has checked that it fits. */
export function payloadToJson(schema: ConnectSchema, value: unknown, options: PayloadOptions): unknown {
  if (value === null || value === undefined) {
    const replaced = options.replaceNullWithDefault ? schema.default : undefined
    return replaced === undefined ? null : payloadToJson(schema, replaced, options)
  }
  switch (schema.type) {
    case "bytes":
      return bytesToJson(schema, value as Uint8Array, options)
    case "array":
      return (value as unknown[]).map((item) => payloadToJson(schema.items!, item, options))
    case "map":
      return mapToJson(schema, value as Record<string, unknown>, options)
    case "struct": {
      const from = value as Record<string, unknown>
      const json: Record<string, unknown> = {}
      for (const field of schema.fields!) json[field.name] = payloadToJson(field.schema, from[field.name], options)
      return json
    }
    default:
      return value
  }
}

/** The value in a payload of `schema`; shape errors name their path. */
export function payloadFromJson(schema: ConnectSchema, json: unknown, options: PayloadOptions, path: string): unknown {
  if (json === null || json === undefined) {
    if (schema.default !== undefined && options.replaceNullWithDefault) return schema.default
    if (schema.optional || schema.default !== undefined) return null
    throw new DataError(`${path} is null: its schema says ${schema.type}, not optional`)
  }
  switch (schema.type) {
    case "bytes":
      return bytesFromJson(schema, json, path)
    case "array":
      if (!Array.isArray(json)) throw new DataError(`${path} should be a list`)
      return json.map((item, index) => payloadFromJson(schema.items!, item, options, `${path}[${index}]`))
    case "map":
      return mapFromJson(schema, json, options, path)
    case "struct": {
      if (!isPlainObject(json)) throw new DataError(`${path} should be an object`)
      const value: Record<string, unknown> = {}
      for (const { name, schema: of } of schema.fields!) {
        value[name] = payloadFromJson(of, json[name], options, `${path}.${name}`)
      }
      return value
    }
    default:
      return json
  }
}

function bytesToJson(schema: ConnectSchema, value: Uint8Array, options: PayloadOptions): unknown {
  if (schema.name === LogicalName.decimal && options.decimalFormat === "NUMERIC") {
    return Number(decimalToText(value, scaleOf(schema)))
  }
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")
}

function bytesFromJson(schema: ConnectSchema, json: unknown, path: string): Uint8Array {
  if (schema.name === LogicalName.decimal && typeof json === "number") {
    return decimalFromText(String(json), scaleOf(schema))
  }
  if (typeof json !== "string") throw new DataError(`${path} should be base64 text`)
  return Buffer.from(json, "base64")
}

const scaleOf = (schema: ConnectSchema): number => Number(schema.parameters?.["scale"] ?? 0)

function mapToJson(schema: ConnectSchema, value: Record<string, unknown>, options: PayloadOptions): unknown {
  const entries = Object.entries(value).map(
    ([key, item]) => [key, payloadToJson(schema.values!, item, options)] as const,
  )
  if (schema.keys!.type === "string") return Object.fromEntries(entries)
  const numeric = schema.keys!.type !== "boolean"
  return entries.map(([key, item]) => [numeric ? Number(key) : key === "true", item])
}

function mapFromJson(schema: ConnectSchema, json: unknown, options: PayloadOptions, path: string): unknown {
  const pairs: [string, unknown][] = Array.isArray(json)
    ? json.map((pair: unknown) => {
        if (!Array.isArray(pair) || pair.length !== 2) throw new DataError(`${path} should be a list of pairs`)
        return [String(pair[0]), pair[1]]
      })
    : isPlainObject(json)
      ? Object.entries(json)
      : []
  if (!Array.isArray(json) && !isPlainObject(json)) throw new DataError(`${path} should be an object or pairs`)
  return Object.fromEntries(
    pairs.map(([key, item]) => [key, payloadFromJson(schema.values!, item, options, `${path}.${key}`)]),
  )
}

const knownTypes = (): string => Object.keys(MODEL_TYPE).join(", ")

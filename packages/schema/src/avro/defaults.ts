/**
 * Defaults: JSON in the schema, values in a record.
 *
 * A default is written as the specification's JSON encoding, with two differences: bytes and fixed are a string of one
 * character per byte, and the default of a union is that of a branch, unwrapped. Avro up to 1.11 meant the first branch;
 * 1.12 takes any. So do we: the first branch that accepts it.
 */
import { isWrapped, wrap } from "./representation.ts"
import type { AvroType, Json } from "./schema.ts"

const INT_MAX = 2 ** 31

/** Whether a JSON default is a value of a type. */
export function isValidDefault(type: AvroType, json: Json): boolean {
  switch (type.type) {
    case "null":
      return json === null
    case "boolean":
      return typeof json === "boolean"
    case "int":
      return typeof json === "number" && Number.isInteger(json) && json >= -INT_MAX && json < INT_MAX
    case "long":
      return typeof json === "number" && Number.isInteger(json)
    case "float":
    case "double":
      return typeof json === "number" || json === "NaN" || json === "Infinity" || json === "-Infinity"
    case "string":
      return typeof json === "string"
    case "bytes":
      return typeof json === "string" && isLatin1(json)
    case "fixed":
      return typeof json === "string" && json.length === type.size && isLatin1(json)
    case "enum":
      return typeof json === "string" && type.symbols.includes(json)
    case "array":
      return Array.isArray(json) && json.every((item) => isValidDefault(type.items, item))
    case "map":
      return isObject(json) && Object.values(json).every((value) => isValidDefault(type.values, value))
    case "record":
      return (
        isObject(json) &&
        type.fields.every((field) => {
          const value = Object.hasOwn(json, field.name) ? json[field.name] : field.default
          return value !== undefined && isValidDefault(field.type, value)
        })
      )
    case "union":
      return type.branches.some((branch) => isValidDefault(branch, json))
  }
}

export const isObject = (json: unknown): json is { readonly [key: string]: Json } =>
  typeof json === "object" && json !== null && !Array.isArray(json)

// oxlint-disable-next-line no-control-regex
const isLatin1 = (text: string): boolean => /^[\u0000-\u00ff]*$/.test(text)

/** A default as a value. Each call makes a new one: records are the reader's to change. */
export function defaultValue(type: AvroType, json: Json): unknown {
  switch (type.type) {
    case "bytes":
    case "fixed":
      return Buffer.from(json as string, "latin1")
    case "float":
    case "double":
      return Number(json)
    case "array":
      return (json as readonly Json[]).map((item) => defaultValue(type.items, item))
    case "map":
      return Object.fromEntries(
        Object.entries(json as Record<string, Json>).map(([key, value]) => [key, defaultValue(type.values, value)]),
      )
    case "record": {
      const given = json as Record<string, Json>
      return Object.fromEntries(
        type.fields.map((field) => [
          field.name,
          defaultValue(field.type, Object.hasOwn(given, field.name) ? given[field.name]! : field.default!),
        ]),
      )
    }
    case "union": {
      const branch = type.branches.find((candidate) => isValidDefault(candidate, json))!
      const value = defaultValue(branch, json)
      return isWrapped(type) ? wrap(branch, value) : value
    }
    default:
      return json
  }
}

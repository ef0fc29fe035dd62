/**
 * Values of a file made to fit a schema: text of CSV cells becomes numbers and booleans, what the schema does not know is
 * refused instead of dropped.
 */
import { checkValue, type ConnectSchema, DataError, isPlainObject, show } from "@millrace/connect/data/schema"

/** Answers a value that fits `schema`; throws a DataError that names the path. */
export function coerce(schema: ConnectSchema, value: unknown, path: string): unknown {
  if (value === undefined || value === null) {
    checkValue(schema, value, path)
    return schema.default ?? null
  }
  switch (schema.type) {
    case "struct":
      return coerceStruct(schema, value, path)
    case "array":
      if (!Array.isArray(value)) throw new DataError(`${path} should be array but is ${show(value)}`)
      return value.map((item, index) => coerce(schema.items!, item, `${path}[${index}]`))
    case "map":
      if (!isPlainObject(value)) throw new DataError(`${path} should be map but is ${show(value)}`)
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, coerce(schema.values!, item, `${path}.${key}`)]),
      )
    case "string":
      return typeof value === "string"
        ? value
        : typeof value === "object"
          ? JSON.stringify(value)
          : `${value as number}`
    default:
      return coerceScalar(schema, value, path)
  }
}

function coerceStruct(schema: ConnectSchema, value: unknown, path: string): Record<string, unknown> {
  if (!isPlainObject(value)) throw new DataError(`${path} should be struct but is ${show(value)}`)
  const struct: Record<string, unknown> = {}
  for (const field of schema.fields!) {
    struct[field.name] = coerce(field.schema, value[field.name], `${path}.${field.name}`)
  }
  for (const name of Object.keys(value)) {
    if (name in struct) continue
    throw new DataError(
      `${path}.${name} is not in the schema: add it to schema or fields, or raise schema.sample.records where it is inferred`,
    )
  }
  return struct
}

function coerceScalar(schema: ConnectSchema, value: unknown, path: string): unknown {
  let scalar = value
  if (typeof value === "string" && schema.type !== "bytes") {
    if (value === "" && schema.optional) return null
    scalar = schema.type === "boolean" ? ({ true: true, false: false }[value] ?? value) : numberOf(value)
  } else if (typeof value === "string") scalar = Buffer.from(value, "utf8")
  checkValue(schema, scalar, path)
  return scalar
}

const numberOf = (text: string): unknown => (text.trim() !== "" && !Number.isNaN(Number(text)) ? Number(text) : text)

/**
 * How Avro values look in JavaScript.
 *
 * null, booleans, numbers (int, long, float, double), strings (string, enum), Buffers (bytes, fixed), arrays, plain
 * objects (map, record). A union's value is the branch's value itself where its JavaScript kind tells the branch, as in
 * ["null", "string"]; where two branches share a kind, as in ["int", "long"] or two records, it is wrapped in an object
 * of one key, the branch's name: `{ "long": 5 }`, as in Avro's JSON encoding.
 *
 * Logical types are not interpreted here: a timestamp-millis is a number.
 */
import { type AvroType, type AvroUnion, branchName } from "./schema.ts"

type Kind = "null" | "boolean" | "number" | "string" | "buffer" | "array" | "object"

/** The JavaScript kind of a type's values. */
function kindOf(type: AvroType): Kind {
  switch (type.type) {
    case "null":
    case "boolean":
    case "string":
    case "array":
      return type.type
    case "int":
    case "long":
    case "float":
    case "double":
      return "number"
    case "bytes":
    case "fixed":
      return "buffer"
    case "enum":
      return "string"
    default:
      return "object"
  }
}

function kindOfValue(value: unknown): Kind | undefined {
  if (value === null) return "null"
  switch (typeof value) {
    case "boolean":
    case "number":
    case "string":
      return typeof value as Kind
    case "object":
      return Array.isArray(value) ? "array" : value instanceof Uint8Array ? "buffer" : "object"
    default:
      return undefined
  }
}

/** Whether a union's values must say their branch. */
export const isWrapped = (union: AvroUnion): boolean => new Set(union.branches.map(kindOf)).size < union.branches.length

export const wrap = (branch: AvroType, value: unknown): unknown =>
  branch.type === "null" ? null : { [branchName(branch)]: value }

/** The branch that a value of a union belongs to, and the value without its wrapping. */
export function unwrap(union: AvroUnion, wrapped: boolean, value: unknown): { index: number; value: unknown } {
  if (!wrapped || value === null) {
    const kind = kindOfValue(value)
    return { index: union.branches.findIndex((branch) => kindOf(branch) === kind), value }
  }
  const name = Object.keys(value as object)[0]!
  return {
    index: union.branches.findIndex((branch) => branchName(branch) === name),
    value: (value as Record<string, unknown>)[name],
  }
}

/**
 * A message resolved for one version: which fields are present, which are nullable, compact, tagged, what the absent
 * ones default to. Compiler and interpreter both work from a plan, so that the rules of versions stand in one place.
 */
import { ZERO_UUID } from "../bytes/uuid.ts"
import type { Field, Fields, ScalarType } from "./field.ts"
import type { Message } from "./message.ts"
import { includes } from "./version-range.ts"

export interface PlannedField {
  readonly name: string
  readonly type: ScalarType | "struct" | "array"
  readonly element: ScalarType | "struct" | undefined
  readonly struct: PlannedStruct | undefined
  readonly present: boolean
  readonly nullable: boolean
  readonly compact: boolean
  /** -1 for a field that is not tagged in this version. */
  readonly tag: number
  readonly ignorable: boolean
  /** An encoder may leave it out. */
  readonly optional: boolean
  /** Scalar default; undefined stands for empty bytes, an empty array or a struct of defaults. */
  readonly fallback: number | boolean | string | null | undefined
}

export interface PlannedStruct {
  /** In wire order; tagged ones are written after the others, by tag. */
  readonly fields: readonly PlannedField[]
  readonly tagged: readonly PlannedField[]
  readonly flexible: boolean
  /** Fewest bytes a value can take. */
  readonly bytesMin: number
}

export function planOf(message: Message, version: number): PlannedStruct {
  return planStruct(message.fields, version, includes(message.flexible, version), true)
}

function planStruct(fields: Fields, version: number, flexible: boolean, present: boolean): PlannedStruct {
  const planned = Object.entries(fields).map(([name, field]) => planField(name, field, version, flexible, present))
  const tagged = planned.filter((field) => field.present && field.tag >= 0).sort((a, b) => a.tag - b.tag)
  let bytesMin = flexible ? 1 : 0
  for (const field of planned) if (field.present && field.tag < 0) bytesMin += fieldBytesMin(field)
  return { fields: planned, tagged, flexible, bytesMin }
}

function planField(name: string, field: Field, version: number, flexible: boolean, parent: boolean): PlannedField {
  const present = parent && includes(field.versions, version)
  const isTagged = field.tag !== undefined && includes(field.tagged ?? field.versions, version)
  const compact = flexible && (field.flexible === undefined || includes(field.flexible, version))
  return {
    name,
    type: field.type,
    element: field.element,
    struct: field.fields === undefined ? undefined : planStruct(field.fields, version, flexible, present),
    present,
    nullable: field.nullable !== undefined && includes(field.nullable, version),
    compact,
    tag: isTagged ? field.tag! : -1,
    ignorable: field.ignorable === true,
    optional: field.default !== undefined || field.tag !== undefined || field.versions !== "0+",
    fallback: field.default === undefined ? implicitDefault(field) : field.default,
  }
}

function implicitDefault(field: Field): PlannedField["fallback"] {
  switch (field.type) {
    case "bool":
      return false
    case "string":
      return ""
    case "uuid":
      return ZERO_UUID
    case "records":
      return field.nullable === undefined ? undefined : null
    case "bytes":
    case "array":
    case "struct":
      return undefined
    default:
      return 0
  }
}

function fieldBytesMin(field: PlannedField): number {
  if (field.type === "array") return field.compact ? 1 : 4
  if (field.type === "struct") return field.nullable ? 1 : field.struct!.bytesMin
  return scalarBytesMin(field.type, field.compact)
}

function scalarBytesMin(type: ScalarType, compact: boolean): number {
  switch (type) {
    case "bool":
    case "int8":
      return 1
    case "int16":
    case "uint16":
      return 2
    case "int32":
    case "uint32":
      return 4
    case "int64":
    case "float64":
      return 8
    case "uuid":
      return 16
    case "string":
      return compact ? 1 : 2
    default:
      return compact ? 1 : 4
  }
}

/** Fewest bytes that an element of this array can take: what bounds its length on decode. */
export function elementBytesMin(field: PlannedField): number {
  const size = field.element === "struct" ? field.struct!.bytesMin : scalarBytesMin(field.element!, field.compact)
  return Math.max(1, size)
}

/**
 * The byte that stands before a nullable struct when it is null; 1 stands before one that is there. Kafka writes -1, but 0
 * in a tagged field.
 */
export function absence(field: PlannedField): -1 | 0 {
  return field.tag < 0 ? -1 : 0
}

/** A fresh default value. */
export function defaultOf(field: PlannedField): unknown {
  if (field.fallback !== undefined) return field.fallback
  if (field.type === "array") return []
  if (field.type === "struct") return defaultStruct(field.struct!)
  return new Uint8Array(0)
}

export function defaultStruct(struct: PlannedStruct): Record<string, unknown> {
  return Object.fromEntries(struct.fields.map((field) => [field.name, defaultOf(field)]))
}

/** Reads as: is `value` what the field has when nothing was said about it? Undefined counts. */
export function isDefault(field: PlannedField, value: unknown): boolean {
  if (value === undefined) return true
  if (field.fallback !== undefined) return value === field.fallback
  if (value === null) return false
  if (field.type !== "struct") return (value as { length: number }).length === 0
  const parts = value as Record<string, unknown>
  return field.struct!.fields.every((part) => isDefault(part, parts[part.name]))
}

/**
 * The records of the `_schemas` topic, Confluent's format: JSON keys and JSON values.
 *
 * Keys decide what compaction keeps, so their bytes must be the same whoever writes them: no white space, properties in
 * the order keytype, subject, version, magic; `"subject":null` where a setting is for the whole registry.
 *
 *   SCHEMA          {"keytype":"SCHEMA","subject":s,"version":n,"magic":1}    a version, or null: gone for good
 *   CONFIG, MODE    {"keytype":"CONFIG","subject":s,"magic":0}                settings of a subject or of all
 *   DELETE_SUBJECT  {"keytype":"DELETE_SUBJECT","subject":s,"magic":0}        versions up to one are soft-deleted
 *   CLEAR_SUBJECT   {"keytype":"CLEAR_SUBJECT","subject":s,"magic":0}         soft-deleted versions are gone for good
 *   CONTEXT         {"keytype":"CONTEXT","tenant":t,"context":c,"magic":0}    a context exists
 *   NOOP            {"keytype":"NOOP","magic":0}                              nothing; a marker to read back
 *
 * Unknown key types and properties are kept out of the state but do no harm: newer registries write them.
 */
import type { CompatibilityLevel, Mode } from "../core/levels.ts"

export interface SchemaReference {
  readonly name: string
  readonly subject: string
  readonly version: number
}

export interface SchemaValue {
  readonly subject: string
  readonly version: number
  readonly id: number
  /** Absent for AVRO. */
  readonly schemaType?: string
  readonly references?: readonly SchemaReference[]
  readonly metadata?: unknown
  readonly ruleSet?: unknown
  readonly schema: string
  readonly deleted: boolean
}

export interface ConfigValue {
  readonly compatibilityLevel?: CompatibilityLevel
  readonly [setting: string]: unknown
}

export interface ModeValue {
  readonly mode: Mode
}

export type RegistryRecord =
  | {
      readonly keytype: "SCHEMA"
      readonly subject: string
      readonly version: number
      readonly value: SchemaValue | null
    }
  | { readonly keytype: "CONFIG"; readonly subject: string | null; readonly value: ConfigValue | null }
  | { readonly keytype: "MODE"; readonly subject: string | null; readonly value: ModeValue | null }
  | {
      readonly keytype: "DELETE_SUBJECT"
      readonly subject: string
      readonly value: { readonly version: number } | null
    }
  | { readonly keytype: "CLEAR_SUBJECT"; readonly subject: string; readonly value: object | null }
  | { readonly keytype: "CONTEXT"; readonly context: string; readonly value: object | null }
  | { readonly keytype: "NOOP" }

const TENANT = "default"

/** The key's text: what compaction compares. */
export function encodeKey(record: RegistryRecord): string {
  const { keytype } = record
  switch (record.keytype) {
    case "SCHEMA":
      return JSON.stringify({ keytype, subject: record.subject, version: record.version, magic: 1 })
    case "CONTEXT":
      return JSON.stringify({ keytype, tenant: TENANT, context: record.context, magic: 0 })
    case "NOOP":
      return JSON.stringify({ keytype, magic: 0 })
    default:
      return JSON.stringify({ keytype, subject: record.subject, magic: 0 })
  }
}

/** The value's text; null for a tombstone. */
export function encodeValue(record: RegistryRecord): string | null {
  if (record.keytype === "NOOP" || record.value === null) return null
  switch (record.keytype) {
    case "DELETE_SUBJECT":
      return JSON.stringify({ subject: record.subject, ...record.value })
    case "CLEAR_SUBJECT":
      return JSON.stringify({ subject: record.subject })
    case "CONTEXT":
      return JSON.stringify({ tenant: TENANT, context: record.context })
    case "CONFIG":
    case "MODE":
      return JSON.stringify(record.subject === null ? record.value : { subject: record.subject, ...record.value })
    default:
      return JSON.stringify(record.value)
  }
}

/** Undefined when it is no record that this registry knows; throws when a known one cannot be read. */
export function decodeRecord(keyText: string, valueText: string | null): RegistryRecord | undefined {
  const key = parse(keyText) as { keytype?: string; subject?: string | null; version?: number; context?: string }
  // Some registries mark a deletion by an empty value.
  const value = valueText === null || valueText === "" ? null : (parse(valueText) as any)
  const subject = key.subject ?? null
  switch (key.keytype) {
    case "SCHEMA":
      return { keytype: "SCHEMA", subject: text(subject), version: number(key.version), value: value && schema(value) }
    case "CONFIG":
    case "MODE": {
      const { subject: _, ...settings } = value ?? {}
      return { keytype: key.keytype, subject, value: value && settings }
    }
    case "DELETE_SUBJECT":
      return { keytype: "DELETE_SUBJECT", subject: text(subject), value: value && { version: number(value.version) } }
    case "CLEAR_SUBJECT":
      return { keytype: "CLEAR_SUBJECT", subject: text(subject), value: value && {} }
    case "CONTEXT":
      return { keytype: "CONTEXT", context: text(key.context), value: value && {} }
    case "NOOP":
      return { keytype: "NOOP" }
    default:
      return undefined
  }
}

function schema(value: SchemaValue & Record<string, unknown>): SchemaValue {
  return {
    subject: text(value.subject),
    version: number(value.version),
    id: number(value.id),
    ...(value.schemaType && value.schemaType !== "AVRO" ? { schemaType: value.schemaType } : {}),
    ...(value.references && value.references.length > 0 ? { references: value.references } : {}),
    ...(value.metadata ? { metadata: value.metadata } : {}),
    ...(value.ruleSet ? { ruleSet: value.ruleSet } : {}),
    schema: text(value.schema),
    deleted: value.deleted === true,
  }
}

function parse(json: string): unknown {
  const parsed: unknown = JSON.parse(json)
  if (typeof parsed !== "object" || parsed === null) throw new TypeError(`${json} is not a JSON object`)
  return parsed
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError(`a string is missing in a record of the schemas topic`)
  return value
}

function number(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError(`a number is missing in a record of the schemas topic`)
  return value as number
}

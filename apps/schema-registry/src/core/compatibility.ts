/**
 * May a schema follow the versions that a subject has?
 *
 * BACKWARD: the new schema reads what the old one wrote; FORWARD: the old reads what the new writes; FULL: both. Only the
 * latest version counts, all of them, newest first, where the level is transitive. A schema of another type is compatible
 * with nothing; levels compare Avro by `avroIncompatibilities` and JSON by `jsonIncompatibilities`.
 */
import { avroIncompatibilities } from "@millrace/schema/avro/compatibility"
import { jsonIncompatibilities } from "@millrace/schema/json-schema/compatibility"
import type { SchemaValue } from "../record/record.ts"
import { type Meaning, understandStored, type Understood } from "./catalog.ts"
import type { CompatibilityPolicy } from "./settings.ts"
import type { RegistryState } from "./state.ts"

/** Why a schema may not follow the first of `previous` that it is not compatible with; empty when it may follow all. */
export function incompatibilities(
  state: RegistryState,
  policy: CompatibilityPolicy,
  schema: Understood,
  previous: readonly SchemaValue[],
): string[] {
  const { level } = policy
  if (level === "NONE") return []
  const newestFirst = previous.toReversed()
  const considered = level.endsWith("_TRANSITIVE") ? newestFirst : newestFirst.slice(0, 1)
  for (const old of considered) {
    const meaning = understandStored(state, old.subject, old).meaning
    const found = compare(policy, schema.meaning, meaning)
    if (found.length > 0) {
      return [
        ...found,
        `{oldSchemaVersion: ${old.version}}`,
        `{oldSchema: '${old.schema}'}`,
        `{compatibility: '${level}'}`,
      ]
    }
  }
  return []
}

function compare({ level, lenient }: CompatibilityPolicy, schema: Meaning, old: Meaning): string[] {
  if (schema.type !== old.type) {
    return [message("SCHEMA_TYPE_MISMATCH", `the new schema is ${schema.type}, the old one ${old.type}`)]
  }
  const backward = !level.startsWith("FORWARD") ? reads("new", schema, old, lenient) : []
  const forward = !level.startsWith("BACKWARD") ? reads("old", old, schema, lenient) : []
  return [...new Set([...backward, ...forward])]
}

function reads(which: "new" | "old", reader: Meaning, writer: Meaning, lenient: boolean): string[] {
  if (reader.type === "AVRO" && writer.type === "AVRO") {
    return avroIncompatibilities(reader.avro, writer.avro).map(({ type, description, detail }) =>
      message(type, description, `the reader is the ${which} schema; ${detail}`),
    )
  }
  if (reader.type === "JSON" && writer.type === "JSON") {
    return jsonIncompatibilities(reader.json, writer.json, { lenient }).map(({ type, description }) =>
      message(type, description, `the reader is the ${which} schema`),
    )
  }
  return []
}

const message = (errorType: string, description: string, additionalInfo?: string): string =>
  `{errorType:'${errorType}', description:'${description}'${additionalInfo === undefined ? "" : `, additionalInfo:'${additionalInfo}'`}}`

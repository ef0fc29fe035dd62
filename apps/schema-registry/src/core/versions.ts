/**
 * Finding versions, and saying why one is not there.
 */
import type { SchemaValue } from "../record/record.ts"
import { Refusal, RefusalCode } from "./refusal.ts"
import type { RegistryState } from "./state.ts"

export type VersionId = number | "latest"

const VERSION_MAX = 2 ** 31 - 1

/** `latest`, `-1` (which is latest) or a number from 1. Throws 42202. */
export function parseVersion(text: string): VersionId {
  if (text === "latest" || text === "-1") return "latest"
  const version = /^\d{1,10}$/.test(text) ? Number(text) : 0
  if (version >= 1 && version <= VERSION_MAX) return version
  throw new Refusal(
    RefusalCode.INVALID_VERSION,
    `The version ${JSON.stringify(text)} is not valid: it is a number from 1 to 2^31-1, or "latest"`,
  )
}

/** The versions of a subject; throws 40401 when there are none to see. */
export function visibleVersions(state: RegistryState, subject: string, deleted: boolean): SchemaValue[] {
  const versions = state.versions(subject).filter((schema) => deleted || !schema.deleted)
  if (versions.length === 0) throw subjectNotFound(subject)
  return versions
}

/** One version of a subject; throws 40401 or 40402. */
export function findVersion(state: RegistryState, subject: string, version: VersionId, deleted: boolean): SchemaValue {
  const versions = visibleVersions(state, subject, deleted)
  const found = version === "latest" ? versions.at(-1) : versions.find((schema) => schema.version === version)
  if (!found) throw new Refusal(RefusalCode.VERSION_NOT_FOUND, `Version ${version} not found.`)
  return found
}

export const subjectNotFound = (subject: string): Refusal =>
  new Refusal(RefusalCode.SUBJECT_NOT_FOUND, `Subject '${subject}' not found.`)

/** A schema as answers have it: Avro leaves its type out. */
export function describeVersion(schema: SchemaValue): Record<string, unknown> {
  const { subject, version, id, schemaType, references, metadata, ruleSet, schema: text, deleted } = schema
  return {
    subject,
    version,
    id,
    ...(schemaType ? { schemaType } : {}),
    ...(references ? { references } : {}),
    ...(metadata ? { metadata } : {}),
    ...(ruleSet ? { ruleSet } : {}),
    schema: text,
    ...(deleted ? { deleted } : {}),
  }
}

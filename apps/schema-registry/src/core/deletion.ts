/**
 * Deleting versions and subjects, in two steps: a soft delete hides a version from its subject, while its id still
 * resolves for the records that were written with it; a permanent delete, which needs the soft one first, leaves nothing.
 * What others refer to is not deleted at all.
 */
import type { RegistryRecord, SchemaValue } from "../record/record.ts"
import type { Decision, Registry } from "./decision.ts"
import { Refusal, RefusalCode } from "./refusal.ts"
import { refuseReadOnly } from "./settings.ts"
import type { RegistryState } from "./state.ts"
import { subjectNotFound, type VersionId } from "./versions.ts"

/** Answers the versions that are deleted now. */
export function deleteSubject({ state }: Registry, subject: string, permanent: boolean): Decision<number[]> {
  const versions = state.versions(subject)
  refuseReadOnly(state, subject)
  if (versions.length === 0) throw subjectNotFound(subject)
  const live = versions.filter((schema) => !schema.deleted)
  if (permanent && live.length > 0) {
    throw new Refusal(
      RefusalCode.SUBJECT_NOT_SOFT_DELETED,
      `Subject '${subject}' has versions that are not deleted: delete it softly before permanently`,
    )
  }
  if (!permanent && live.length === 0) {
    throw new Refusal(
      RefusalCode.SUBJECT_SOFT_DELETED,
      `Subject '${subject}' is soft-deleted already: permanent=true deletes it for good`,
    )
  }
  const affected = permanent ? versions : live
  // Versions of the subject may refer to one another: they go together.
  for (const schema of affected) refuseReferenced(state, schema, subject)
  const answer = affected.map((schema) => schema.version)
  if (!permanent) {
    return { records: [{ keytype: "DELETE_SUBJECT", subject, value: { version: versions.at(-1)!.version } }], answer }
  }
  const records: RegistryRecord[] = versions.map(({ version }) => tombstone(subject, version))
  return { records: [...records, ...withoutSettings(state, subject)], answer }
}

/** Answers the version. */
export function deleteVersion(
  { state }: Registry,
  subject: string,
  version: VersionId,
  permanent: boolean,
): Decision<number> {
  const versions = state.versions(subject)
  if (versions.length === 0) throw subjectNotFound(subject)
  refuseReadOnly(state, subject)
  const live = versions.filter((schema) => !schema.deleted)
  const schema = version === "latest" ? live.at(-1) : versions.find((candidate) => candidate.version === version)
  if (!schema) throw new Refusal(RefusalCode.VERSION_NOT_FOUND, `Version ${version} not found.`)
  if (permanent && !schema.deleted) {
    throw new Refusal(
      RefusalCode.VERSION_NOT_SOFT_DELETED,
      `Version ${schema.version} of '${subject}' is not deleted: delete it softly before permanently`,
    )
  }
  if (!permanent && schema.deleted) {
    throw new Refusal(
      RefusalCode.VERSION_SOFT_DELETED,
      `Version ${schema.version} of '${subject}' is soft-deleted already: permanent=true deletes it for good`,
    )
  }
  refuseReferenced(state, schema)
  if (permanent) {
    const settings = versions.length === 1 ? withoutSettings(state, subject) : []
    return { records: [tombstone(subject, schema.version), ...settings], answer: schema.version }
  }
  const value: SchemaValue = { ...schema, deleted: true }
  return { records: [{ keytype: "SCHEMA", subject, version: schema.version, value }], answer: schema.version }
}

const tombstone = (subject: string, version: number): RegistryRecord => ({
  keytype: "SCHEMA",
  subject,
  version,
  value: null,
})

/** A subject that is gone for good leaves no settings behind. */
function withoutSettings(state: RegistryState, subject: string): RegistryRecord[] {
  const records: RegistryRecord[] = [{ keytype: "DELETE_SUBJECT", subject, value: null }]
  if (state.config(subject)) records.push({ keytype: "CONFIG", subject, value: null })
  if (state.mode(subject)) records.push({ keytype: "MODE", subject, value: null })
  return records
}

function refuseReferenced(state: RegistryState, schema: SchemaValue, except?: string): void {
  const [referrer] = state.referrers(schema.subject, schema.version).filter(({ subject }) => subject !== except)
  if (!referrer) return
  throw new Refusal(
    RefusalCode.REFERENCE_EXISTS,
    `Version ${schema.version} of ${schema.subject} is referred to by version ${referrer.version} of ${referrer.subject}`,
  )
}

/**
 * Registering a schema under a subject, and looking one up.
 *
 *  - the same content under the subject: the same id and version, nothing is written;
 *  - the same content elsewhere in the context: the same id, the subject's next version;
 *  - new content: the context's next id; it must be compatible with the versions that are not deleted;
 *  - content of a soft-deleted version: its id and a new version, which takes the old one's place for good;
 *  - in IMPORT mode, and only there, the id (and the version) are the caller's, and compatibility is not asked for.
 */
import type { RegistryRecord, SchemaValue } from "../record/record.ts"
import { understand, type Understood } from "./catalog.ts"
import { incompatibilities } from "./compatibility.ts"
import { answer, type Decision, type Registry } from "./decision.ts"
import { Refusal, RefusalCode } from "./refusal.ts"
import { modeOf, normalizes, policyOf, refuseReadOnly } from "./settings.ts"
import { sameContent, type SchemaContent } from "./state.ts"
import { contextOf, DEFAULT_CONTEXT } from "./subject.ts"
import { describeVersion, subjectNotFound } from "./versions.ts"

export interface Submitted {
  readonly content: SchemaContent
  /** The caller's own id and version: IMPORT mode only. */
  readonly id: number | undefined
  readonly version: number | undefined
}

export interface Registered {
  readonly id: number
  readonly version: number
}

export function register(
  registry: Registry,
  subject: string,
  submitted: Submitted,
  normalize: boolean,
): Decision<Registered> {
  const { state, defaults } = registry
  if (Buffer.byteLength(submitted.content.schema) > defaults.schemaBytesMax) {
    throw new Refusal(RefusalCode.SCHEMA_TOO_LARGE, `The schema is larger than ${defaults.schemaBytesMax} bytes`)
  }
  const schema = understandNew(registry, subject, submitted.content, normalize)
  const versions = state.versions(subject)
  const same = versions.findLast((known) => !known.deleted && sameContent(known, schema.content))
  if (same && (submitted.id === undefined || submitted.id === same.id)) {
    return answer({ id: same.id, version: same.version })
  }
  refuseReadOnly(state, subject)
  return modeOf(state, subject) === "IMPORT"
    ? importVersion(registry, subject, submitted, schema, versions)
    : appendVersion(registry, subject, submitted, schema, versions)
}

function understandNew(registry: Registry, subject: string, content: SchemaContent, normalize: boolean): Understood {
  const { state, defaults } = registry
  return understand(state, subject, content, {
    normalize: normalizes(state, defaults, subject, normalize),
    validateDefaults: defaults.validateDefaults,
    validateKeywords: true,
    deletedReferences: false,
  })
}

function appendVersion(
  { state, defaults }: Registry,
  subject: string,
  submitted: Submitted,
  schema: Understood,
  versions: readonly SchemaValue[],
): Decision<Registered> {
  if (submitted.id !== undefined && submitted.id >= 0) {
    throw notPermitted(`Subject ${subject} is not in import mode: the registry chooses the id`)
  }
  const next = (versions.at(-1)?.version ?? 0) + 1
  if (submitted.version !== undefined && submitted.version > 0 && submitted.version !== next) {
    throw new Refusal(RefusalCode.INVALID_SCHEMA, `The next version of ${subject} is ${next}, not ${submitted.version}`)
  }
  const live = versions.filter((known) => !known.deleted)
  const found = incompatibilities(state, policyOf(state, defaults, subject), schema, live)
  if (found.length > 0) {
    throw new Refusal(
      RefusalCode.INCOMPATIBLE_SCHEMA,
      `The schema is not compatible with an earlier one of subject "${subject}": [${found.join(", ")}]`,
    )
  }
  const context = contextOf(subject)
  const id =
    state.idOf(context, schema.content) ?? nextId(state.maxId(context), (id) => state.byId(context, id).length > 0)
  const records: RegistryRecord[] = []
  if (context !== DEFAULT_CONTEXT && !state.contexts().includes(context)) {
    records.push({ keytype: "CONTEXT", context, value: {} })
  }
  records.push(schemaRecord(subject, next, id, schema.content))
  for (const old of versions) {
    if (!old.deleted || !sameContent(old, schema.content) || state.referrers(subject, old.version).length > 0) continue
    records.push({ keytype: "SCHEMA", subject, version: old.version, value: null })
  }
  return { records, answer: { id, version: next } }
}

function nextId(maxId: number, isUsed: (id: number) => boolean): number {
  let id = maxId + 1
  while (isUsed(id)) id++
  return id
}

function importVersion(
  { state }: Registry,
  subject: string,
  submitted: Submitted,
  schema: Understood,
  versions: readonly SchemaValue[],
): Decision<Registered> {
  const { id } = submitted
  if (id === undefined || id < 0) throw notPermitted(`Subject ${subject} is in import mode: an id is needed`)
  const used = state.byId(contextOf(subject), id)
  if (used.some((known) => !sameContent(known, schema.content))) {
    throw notPermitted(`The id ${id} is already that of another schema`)
  }
  const version =
    submitted.version !== undefined && submitted.version > 0 ? submitted.version : (versions.at(-1)?.version ?? 0) + 1
  return { records: [schemaRecord(subject, version, id, schema.content)], answer: { id, version } }
}

const schemaRecord = (subject: string, version: number, id: number, content: SchemaContent): RegistryRecord => ({
  keytype: "SCHEMA",
  subject,
  version,
  value: { subject, version, id, ...content, deleted: false },
})

const notPermitted = (message: string): Refusal => new Refusal(RefusalCode.OPERATION_NOT_PERMITTED, message)

/** The version of a subject that has exactly this content; throws 40401 or 40403. */
export function lookUp(
  registry: Registry,
  subject: string,
  content: SchemaContent,
  options: { readonly normalize: boolean; readonly deleted: boolean },
): Decision<Record<string, unknown>> {
  const versions = registry.state.versions(subject).filter((schema) => options.deleted || !schema.deleted)
  if (versions.length === 0) throw subjectNotFound(subject)
  const { state, defaults } = registry
  const schema = understand(state, subject, content, {
    normalize: normalizes(state, defaults, subject, options.normalize),
    validateDefaults: false,
    validateKeywords: false,
    deletedReferences: true,
  })
  const found = versions.findLast((known) => sameContent(known, schema.content))
  if (!found) throw new Refusal(RefusalCode.SCHEMA_NOT_FOUND, "Schema not found")
  return answer(describeVersion(found))
}

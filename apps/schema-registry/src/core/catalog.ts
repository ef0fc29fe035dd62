/**
 * Schemas as the registry understands them: text in, canonical text and meaning out, per schema type.
 *
 * Canonical is the text that is stored and compared: Avro is printed anew, JSON loses its white space. Meaning is kept for
 * the comparisons of `compatibility.ts`, for the schemas used last.
 */
import { parseAvro } from "@millrace/schema/avro/parse"
import { normalized, print } from "@millrace/schema/avro/print"
import type { AvroNamedType, AvroType } from "@millrace/schema/avro/schema"
import { SchemaParseError } from "@millrace/schema/errors"
import { checkJsonSchema, parseJsonSchema } from "@millrace/schema/json-schema/validate"
import type { SchemaReference } from "../record/record.ts"
import { minify, sortKeys } from "./json-text.ts"
import { Refusal, RefusalCode } from "./refusal.ts"
import type { SchemaContent, RegistryState } from "./state.ts"
import { relativeTo } from "./subject.ts"

export const SCHEMA_TYPES = ["AVRO", "JSON"] as const
export type SchemaType = (typeof SCHEMA_TYPES)[number]

export type Meaning =
  | { readonly type: "AVRO"; readonly avro: AvroType; readonly names: ReadonlyMap<string, AvroNamedType> }
  | { readonly type: "JSON"; readonly json: unknown }

export interface Understood {
  readonly content: SchemaContent
  readonly meaning: Meaning
}

export interface UnderstandOptions {
  /** Bring texts that mean the same to one form. */
  readonly normalize: boolean
  /** Refuse defaults that are not of their type: for new schemas. */
  readonly validateDefaults: boolean
  /** Refuse JSON keywords with values that their draft does not have: for new schemas. */
  readonly validateKeywords: boolean
  /** Whether references may lead to deleted versions: for schemas that are registered already. */
  readonly deletedReferences: boolean
}

/** Parses a schema submitted under a subject. Throws a Refusal (42201) that says what is wrong. */
export function understand(
  state: RegistryState,
  subject: string,
  content: SchemaContent,
  options: UnderstandOptions,
): Understood {
  const type = content.schemaType ?? "AVRO"
  try {
    if (type === "AVRO") return understandAvro(state, subject, content, options)
    if (type === "JSON") return understandJson(state, subject, content, options)
  } catch (cause) {
    if (!(cause instanceof SchemaParseError)) throw cause
    throw new Refusal(RefusalCode.INVALID_SCHEMA, `Invalid schema for ${subject}: ${cause.message}`)
  }
  throw new Refusal(
    RefusalCode.INVALID_SCHEMA,
    `Invalid schema type ${type}: this registry knows ${SCHEMA_TYPES.join(" and ")}`,
  )
}

function understandAvro(
  state: RegistryState,
  subject: string,
  content: SchemaContent,
  options: UnderstandOptions,
): Understood {
  const references = new Map<string, AvroNamedType>()
  for (const referenced of referencedBy(state, subject, content, options)) {
    for (const [name, type] of parseAvro(referenced.content.schema, { references }).names) references.set(name, type)
  }
  const { validateDefaults } = options
  const { type: avro, names } = parseAvro(content.schema, { references, validateDefaults })
  const schema = (options.normalize ? normalized : print)(avro, { references })
  return { content: canonical(content, schema, options), meaning: { type: "AVRO", avro, names } }
}

function understandJson(
  state: RegistryState,
  subject: string,
  content: SchemaContent,
  options: UnderstandOptions,
): Understood {
  const json = parseJsonSchema(content.schema)
  if (options.validateKeywords) checkJsonSchema(json)
  // That what it refers to is there; a `$ref` names it.
  for (const _ of referencedBy(state, subject, content, options));
  const schema = options.normalize ? JSON.stringify(sortKeys(json)) : minify(content.schema)
  return { content: canonical(content, schema, options), meaning: { type: "JSON", json } }
}

/** Properties in one order and none that say nothing, so that equal contents are equal texts in the topic. */
function canonical(content: SchemaContent, schema: string, options: UnderstandOptions): SchemaContent {
  const { schemaType, references = [], metadata, ruleSet } = content
  const ordered = options.normalize
    ? references.toSorted((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0))
    : references
  return {
    ...(schemaType === undefined || schemaType === "AVRO" ? {} : { schemaType }),
    ...(ordered.length > 0 ? { references: ordered } : {}),
    ...(metadata ? { metadata } : {}),
    ...(ruleSet ? { ruleSet } : {}),
    schema,
  }
}

interface Referenced {
  readonly subject: string
  readonly content: SchemaContent
}

/** All that a schema refers to, what is referred to first, each version once. */
function referencedBy(
  state: RegistryState,
  subject: string,
  content: SchemaContent,
  options: UnderstandOptions,
): Referenced[] {
  const found = new Map<string, Referenced>()
  visit(subject, content.references ?? [])
  return [...found.values()]

  function visit(parent: string, references: readonly SchemaReference[]): void {
    for (const reference of references) {
      const target = relativeTo(parent, reference.subject)
      const key = `${target} ${reference.version}`
      if (found.has(key)) continue
      const schema = state.version(target, reference.version)
      if (!schema || (schema.deleted && !options.deletedReferences)) {
        throw new Refusal(
          RefusalCode.INVALID_SCHEMA,
          `No schema is registered as version ${reference.version} of ${target}, which ${reference.name} refers to`,
        )
      }
      visit(target, schema.references ?? [])
      found.set(key, { subject: target, content: schema })
    }
  }
}

/** A schema that the registry holds. */
export const understandStored = (state: RegistryState, subject: string, content: SchemaContent): Understood =>
  understand(state, subject, content, {
    normalize: false,
    validateDefaults: false,
    validateKeywords: false,
    deletedReferences: true,
  })

/**
 * JSON Schema validation through ajv, by the draft that `$schema` names: draft 7 (the default, which reads 6 as well),
 * 2019-09 or 2020-12. Keywords that nobody knows are ignored, as the specification asks.
 */
import { Ajv, type ErrorObject, type Options } from "ajv"
import { Ajv2019 } from "ajv/dist/2019.js"
import { Ajv2020 } from "ajv/dist/2020.js"
import addFormats from "ajv-formats"
import { SchemaParseError } from "../errors.ts"
import { describe, reasonOf } from "../explain.ts"

export type JsonSchema = boolean | { readonly [key: string]: unknown }

/** Says in words why a value is not one of the schema; undefined when it is. */
export type JsonValidator = (value: unknown) => string | undefined

/** Parses the text of a JSON schema. Throws SchemaParseError. */
export function parseJsonSchema(text: string): JsonSchema {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new SchemaParseError("", `the schema is not JSON: ${reasonOf(cause)}`)
  }
  if (typeof json === "boolean") return json
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as JsonSchema
  throw new SchemaParseError("", `a JSON schema is an object or a boolean, not ${describe(json)}`)
}

const OPTIONS: Options = { strict: false, allErrors: false, validateFormats: true, logger: false }
const DRAFT_7 = "http://json-schema.org/draft-07/schema"

/**
 * Compiles a schema; `references` are the schemas that its `$ref`s name, by that name. Throws SchemaParseError when it is
 * not a schema or refers to what is not there.
 */
export function jsonValidator(
  schema: JsonSchema,
  references: ReadonlyMap<string, JsonSchema> = new Map(),
): JsonValidator {
  const ajv = engineFor(schema)
  try {
    for (const [name, referenced] of references) ajv.addSchema(referenced as object, name)
    const validate = ajv.compile(withoutOldDraft(schema))
    return (value) => (validate(value) ? undefined : reason(validate.errors))
  } catch (cause) {
    throw new SchemaParseError("", reasonOf(cause))
  }
}

/**
 * Throws SchemaParseError where keywords do not have the values that the schema's draft asks for, as in `{"type": 12}`.
 * Draft 4 and drafts of one's own go unchecked: there is no meta-schema of theirs here.
 */
export function checkJsonSchema(schema: JsonSchema): void {
  if (typeof schema === "boolean") return
  const { $schema: draft = DRAFT_7 } = schema
  if (typeof draft !== "string") throw new SchemaParseError("$schema", `is text, not ${describe(draft)}`)
  if (!/draft-0[67]\/|2019-09|2020-12/.test(draft)) return
  const ajv = engineFor(schema)
  if (ajv.validateSchema(withoutOldDraft(schema)) !== true) {
    const { instancePath = "", message = "is not of its draft" } = ajv.errors?.[0] ?? {}
    throw new SchemaParseError(instancePath.slice(1).replaceAll("/", "."), message)
  }
}

function engineFor(schema: JsonSchema): Ajv {
  const draft = typeof schema === "object" && typeof schema.$schema === "string" ? schema.$schema : DRAFT_7
  const engine = draft.includes("2020-12")
    ? new Ajv2020(OPTIONS)
    : draft.includes("2019-09")
      ? new Ajv2019(OPTIONS)
      : new Ajv(OPTIONS)
  // CommonJS: the function is the module, and its own default.
  const add = addFormats as unknown as (ajv: Ajv) => Ajv
  return add(engine)
}

/** ajv has no meta-schema of drafts 4 and 6; what they say means the same in draft 7, but for `id` and boolean bounds. */
function withoutOldDraft(schema: JsonSchema): JsonSchema {
  if (typeof schema !== "object" || !/draft-0[46]\//.test(String(schema.$schema))) return schema
  const { $schema: _, ...rest } = schema
  return rest
}

function reason(errors: readonly ErrorObject[] | null | undefined): string {
  const [first] = errors ?? []
  if (!first) return "it does not match the schema"
  const place = first.instancePath.slice(1).replaceAll("/", ".")
  const extra = first.keyword === "additionalProperties" ? ` (${first.params.additionalProperty})` : ""
  return `${place === "" ? "" : `${place}: `}it ${first.message ?? "does not match"}${extra}`
}

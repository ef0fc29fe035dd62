/**
 * The body that submits a schema: to register it, look it up or compare it.
 */
import type { Submitted } from "../core/register.ts"
import { Refusal, RefusalCode } from "../core/refusal.ts"
import type { SchemaReference } from "../record/record.ts"
import type { RouteRequest } from "./route.ts"

export function submittedIn({ body }: RouteRequest): Submitted {
  const { schema, schemaType, references, metadata, ruleSet, id, version } = body
  if (typeof schema !== "string" || schema.trim() === "") throw invalid('"schema" is missing: the text of the schema')
  if (schemaType !== undefined && schemaType !== null && typeof schemaType !== "string") {
    throw invalid('"schemaType" is text: AVRO or JSON')
  }
  return {
    content: {
      schema,
      ...(schemaType ? { schemaType: schemaType.toUpperCase() } : {}),
      ...(references ? { references: referencesIn(references) } : {}),
      ...(metadata ? { metadata } : {}),
      ...(ruleSet ? { ruleSet } : {}),
    },
    id: integer(id, "id"),
    version: integer(version, "version"),
  }
}

function referencesIn(json: unknown): SchemaReference[] {
  if (!Array.isArray(json)) throw invalid('"references" is an array')
  return json.map((reference: Partial<SchemaReference> | null) => {
    const { name, subject, version } = reference ?? {}
    if (typeof name !== "string" || typeof subject !== "string" || !Number.isSafeInteger(version)) {
      throw invalid('a reference has a "name", a "subject" and a "version"')
    }
    return { name, subject, version: version! }
  })
}

function integer(json: unknown, name: string): number | undefined {
  if (json === undefined || json === null) return undefined
  if (!Number.isSafeInteger(json)) throw invalid(`"${name}" is a whole number`)
  return json as number
}

const invalid = (message: string): Refusal => new Refusal(RefusalCode.INVALID_SCHEMA, `Invalid schema: ${message}`)

/**
 * /schemas: schemas by id, and all of them.
 */
import { SCHEMA_TYPES } from "../core/catalog.ts"
import { answer, type Registry } from "../core/decision.ts"
import { Refusal, RefusalCode } from "../core/refusal.ts"
import { contextOf, DEFAULT_CONTEXT, matchesPrefix } from "../core/subject.ts"
import { describeVersion } from "../core/versions.ts"
import type { SchemaValue } from "../record/record.ts"
import { flag, page, type Route, type RouteRequest } from "./route.ts"

export const schemaRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/schemas",
    summary: "Versions of all subjects",
    query: ["subjectPrefix", "deleted", "latestOnly", "offset", "limit"],
    writes: false,
    decide({ state }, request) {
      const prefix = request.query.get("subjectPrefix") ?? ":*:"
      const found = state.subjects().flatMap((subject) => {
        if (!matchesPrefix(subject, prefix)) return []
        const versions = state.versions(subject).filter((schema) => !schema.deleted || flag(request, "deleted"))
        return flag(request, "latestOnly") ? versions.slice(-1) : versions
      })
      return answer(page(request, found).map(describeVersion))
    },
  },
  {
    method: "GET",
    path: "/schemas/types",
    summary: "Schema types that may be registered",
    query: [],
    writes: false,
    decide: () => answer(SCHEMA_TYPES),
  },
  {
    method: "GET",
    path: "/schemas/ids/:id",
    summary: "The schema with an id",
    query: ["subject", "fetchMaxId"],
    writes: false,
    decide(registry, request) {
      const { schemaType, references, metadata, ruleSet, schema } = byId(registry, request)[0]!
      return answer({
        ...(schemaType ? { schemaType } : {}),
        schema,
        ...(references ? { references } : {}),
        ...(metadata ? { metadata } : {}),
        ...(ruleSet ? { ruleSet } : {}),
        ...(flag(request, "fetchMaxId") ? { maxId: registry.state.maxId(contextIn(request)) } : {}),
      })
    },
  },
  {
    method: "GET",
    path: "/schemas/ids/:id/schema",
    summary: "The text of the schema with an id",
    query: ["subject"],
    writes: false,
    decide: (registry, request) => answer(byId(registry, request)[0]!.schema),
  },
  {
    method: "GET",
    path: "/schemas/ids/:id/subjects",
    summary: "Subjects that an id is registered under",
    query: ["subject", "deleted"],
    writes: false,
    decide: (registry, request) => answer([...new Set(visible(registry, request).map(({ subject }) => subject))]),
  },
  {
    method: "GET",
    path: "/schemas/ids/:id/versions",
    summary: "Subjects and versions that an id is registered as",
    query: ["subject", "deleted"],
    writes: false,
    decide: (registry, request) =>
      answer(visible(registry, request).map(({ subject, version }) => ({ subject, version }))),
  },
]

const contextIn = (request: RouteRequest): string => {
  const subject = request.query.get("subject")
  return subject === null ? DEFAULT_CONTEXT : contextOf(subject)
}

/** The versions with an id, deleted ones too: records that were written with them are still read. */
function byId({ state }: Registry, request: RouteRequest): SchemaValue[] {
  const { id } = request.params
  const found = /^\d{1,10}$/.test(id!) ? state.byId(contextIn(request), Number(id)) : []
  if (found.length > 0) {
    return found.toSorted((left, right) =>
      left.subject < right.subject ? -1 : left.subject > right.subject ? 1 : left.version - right.version,
    )
  }
  throw new Refusal(RefusalCode.SCHEMA_NOT_FOUND, `Schema ${id} not found`)
}

const visible = (registry: Registry, request: RouteRequest): SchemaValue[] =>
  byId(registry, request).filter((schema) => !schema.deleted || flag(request, "deleted"))

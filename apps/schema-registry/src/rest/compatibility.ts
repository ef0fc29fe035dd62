/**
 * /compatibility: would a schema be accepted?
 */
import { understand } from "../core/catalog.ts"
import { incompatibilities } from "../core/compatibility.ts"
import { answer, type Decision, type Registry } from "../core/decision.ts"
import { Refusal } from "../core/refusal.ts"
import { normalizes, policyOf } from "../core/settings.ts"
import { canonicalSubject } from "../core/subject.ts"
import { findVersion, parseVersion } from "../core/versions.ts"
import type { SchemaValue } from "../record/record.ts"
import { flag, type Route, type RouteRequest } from "./route.ts"
import { submittedIn } from "./submitted.ts"

export const compatibilityRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/compatibility/subjects/:subject/versions/:version",
    summary: "Compare a schema with one version of a subject",
    query: ["verbose", "normalize"],
    writes: false,
    decide(registry, request) {
      const version = parseVersion(request.params.version!)
      const subject = canonicalSubject(request.params.subject!)
      if (version !== "latest")
        return verdict(registry, request, [findVersion(registry.state, subject, version, false)])
      return verdict(registry, request, live(registry, subject).slice(-1))
    },
  },
  {
    method: "POST",
    path: "/compatibility/subjects/:subject/versions",
    summary: "Compare a schema with the versions of a subject that its level names",
    query: ["verbose", "normalize"],
    writes: false,
    decide: (registry, request) =>
      verdict(registry, request, live(registry, canonicalSubject(request.params.subject!))),
  },
]

const live = ({ state }: Registry, subject: string): SchemaValue[] =>
  state.versions(subject).filter((schema) => !schema.deleted)

function verdict(registry: Registry, request: RouteRequest, previous: readonly SchemaValue[]): Decision {
  const { state, defaults } = registry
  const subject = canonicalSubject(request.params.subject!)
  const { content } = submittedIn(request)
  let messages: string[]
  try {
    const schema = understand(state, subject, content, {
      normalize: normalizes(state, defaults, subject, flag(request, "normalize")),
      validateDefaults: defaults.validateDefaults,
      validateKeywords: true,
      deletedReferences: false,
    })
    messages = incompatibilities(state, policyOf(state, defaults, subject), schema, previous)
  } catch (cause) {
    // With verbose, a schema that does not parse is a verdict like another.
    if (!(cause instanceof Refusal) || !flag(request, "verbose")) throw cause
    messages = [cause.message]
  }
  const verbose = flag(request, "verbose") ? { messages } : {}
  return answer({ is_compatible: messages.length === 0, ...verbose })
}

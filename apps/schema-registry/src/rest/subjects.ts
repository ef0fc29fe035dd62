/**
 * /subjects: subjects and their versions.
 */
import { answer } from "../core/decision.ts"
import { deleteSubject, deleteVersion } from "../core/deletion.ts"
import { lookUp, register } from "../core/register.ts"
import { canonicalSubject, checkedSubject, matchesPrefix } from "../core/subject.ts"
import { describeVersion, findVersion, parseVersion, visibleVersions } from "../core/versions.ts"
import { flag, page, type Route, type RouteRequest } from "./route.ts"
import { submittedIn } from "./submitted.ts"

const subjectIn = (request: RouteRequest): string => canonicalSubject(request.params.subject!)
const versionIn = (request: RouteRequest) => parseVersion(request.params.version!)

export const subjectRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/subjects",
    summary: "All subjects",
    query: ["subjectPrefix", "deleted", "deletedOnly", "offset", "limit"],
    writes: false,
    decide({ state }, request) {
      const prefix = request.query.get("subjectPrefix") ?? ":*:"
      const found = state.subjects().filter((subject) => {
        if (!matchesPrefix(subject, prefix)) return false
        const isDeleted = state.versions(subject).every((schema) => schema.deleted)
        return flag(request, "deletedOnly") ? isDeleted : !isDeleted || flag(request, "deleted")
      })
      return answer(page(request, found))
    },
  },
  {
    method: "POST",
    path: "/subjects/:subject",
    summary: "The version of a subject that has a schema",
    query: ["normalize", "deleted"],
    writes: false,
    decide: (registry, request) =>
      lookUp(registry, subjectIn(request), submittedIn(request).content, {
        normalize: flag(request, "normalize"),
        deleted: flag(request, "deleted"),
      }),
  },
  {
    method: "DELETE",
    path: "/subjects/:subject",
    summary: "Delete all versions of a subject: softly, then permanently",
    query: ["permanent"],
    writes: true,
    decide: (registry, request) => deleteSubject(registry, subjectIn(request), flag(request, "permanent")),
  },
  {
    method: "GET",
    path: "/subjects/:subject/versions",
    summary: "Versions of a subject",
    query: ["deleted", "deletedOnly", "offset", "limit"],
    writes: false,
    decide({ state }, request) {
      const deletedOnly = flag(request, "deletedOnly")
      const versions = visibleVersions(state, subjectIn(request), deletedOnly || flag(request, "deleted"))
      const found = deletedOnly ? versions.filter((schema) => schema.deleted) : versions
      return answer(page(request, found).map(({ version }) => version))
    },
  },
  {
    method: "POST",
    path: "/subjects/:subject/versions",
    summary: "Register a schema",
    query: ["normalize"],
    writes: true,
    decide: (registry, request) =>
      register(registry, checkedSubject(request.params.subject!), submittedIn(request), flag(request, "normalize")),
  },
  {
    method: "GET",
    path: "/subjects/:subject/versions/:version",
    summary: "One version of a subject",
    query: ["deleted"],
    writes: false,
    decide: ({ state }, request) =>
      answer(describeVersion(findVersion(state, subjectIn(request), versionIn(request), flag(request, "deleted")))),
  },
  {
    method: "GET",
    path: "/subjects/:subject/versions/:version/schema",
    summary: "The text of one version's schema",
    query: ["deleted"],
    writes: false,
    decide: ({ state }, request) =>
      answer(findVersion(state, subjectIn(request), versionIn(request), flag(request, "deleted")).schema),
  },
  {
    method: "GET",
    path: "/subjects/:subject/versions/:version/referencedby",
    summary: "Ids of schemas that refer to a version",
    query: [],
    writes: false,
    decide({ state }, request) {
      const { subject, version } = findVersion(state, subjectIn(request), versionIn(request), true)
      const ids = state.referrers(subject, version).map(({ id }) => id)
      return answer([...new Set(ids)].sort((left, right) => left - right))
    },
  },
  {
    method: "DELETE",
    path: "/subjects/:subject/versions/:version",
    summary: "Delete a version: softly, then permanently",
    query: ["permanent"],
    writes: true,
    decide: (registry, request) =>
      deleteVersion(registry, subjectIn(request), versionIn(request), flag(request, "permanent")),
  },
]

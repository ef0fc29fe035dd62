/**
 * Objects and arrays: which names (or places) each side knows, and what it makes of the others.
 *
 * A content model is *open* when unknown names may hold anything, *closed* when there may be none, and *partially open*
 * when a schema covers them (`additionalProperties` with a schema, `patternProperties`).
 *
 *   a name goes   reader open: fine · partially: if the covering schema takes its values · closed: no
 *   a name comes  writer open: no, old records may hold anything there (unless it takes anything; lenient: fine)
 *                 partially: if it takes what the covering schema took · closed: fine
 *                 and where it is required it needs a default
 */
import { type Comparison, refuse } from "./comparison.ts"
import type { JsonObject } from "./model.ts"
import { compareBound } from "./scalar-compatibility.ts"

interface Content {
  readonly model: "open" | "closed" | "partial"
  /** The schema of a name that is not listed. */
  cover(name: string): unknown
}

const isNothing = (schema: unknown): boolean => schema === false
const isAnything = (schema: unknown): boolean =>
  schema === true || schema === undefined || (typeof schema === "object" && Object.keys(schema ?? {}).length === 0)

export function compareObjects(comparison: Comparison, reader: JsonObject, writer: JsonObject, path: string): void {
  compareBound(comparison, "maxProperties", "max", reader, writer, path)
  compareBound(comparison, "minProperties", "min", reader, writer, path)
  const patterns = object(writer.patternProperties)
  const readerContent = contentOf(
    reader,
    "additionalProperties",
    "unevaluatedProperties",
    object(reader.patternProperties),
  )
  const writerContent = contentOf(writer, "additionalProperties", "unevaluatedProperties", patterns)
  compareMembers(comparison, {
    what: "PROPERTY",
    reader: new Map(Object.entries(object(reader.properties))),
    writer: new Map(Object.entries(object(writer.properties))),
    readerContent,
    writerContent,
    needs: requiredWithoutDefault(reader, writer),
    path: `${path}/properties`,
  })
  compareRequired(comparison, reader, writer, path)
  compareRest(comparison, "additionalProperties", "ADDITIONAL_PROPERTIES", reader, writer, path)
  compareDependencies(comparison, reader, writer, path)
  for (const [pattern, schema] of Object.entries(object(reader.patternProperties))) {
    const before = patterns[pattern]
    if (before !== undefined) comparison.compare(comparison, schema, before, `${path}/patternProperties/${pattern}`)
  }
  if (reader.propertyNames !== undefined) {
    comparison.compare(comparison, reader.propertyNames, writer.propertyNames ?? true, `${path}/propertyNames`)
  }
}

export function compareArrays(comparison: Comparison, reader: JsonObject, writer: JsonObject, path: string): void {
  compareBound(comparison, "maxItems", "max", reader, writer, path)
  compareBound(comparison, "minItems", "min", reader, writer, path)
  compareBound(comparison, "maxContains", "max", reader, writer, path)
  compareBound(comparison, "minContains", "min", reader, writer, path)
  if (reader.uniqueItems === true && writer.uniqueItems !== true) {
    refuse(comparison, "UNIQUE_ITEMS_ADDED", `${path}/uniqueItems`, "the reader demands unique items")
  }
  if (reader.contains !== undefined) {
    comparison.compare(comparison, reader.contains, writer.contains ?? true, `${path}/contains`)
  }
  const readerTuple = tupleOf(reader)
  const writerTuple = tupleOf(writer)
  if (!readerTuple && !writerTuple) {
    comparison.compare(comparison, reader.items ?? true, writer.items ?? true, `${path}/items`)
    return
  }
  const places = (tuple: readonly unknown[] | undefined) =>
    new Map((tuple ?? []).map((item, index) => [`${index}`, item]))
  const readerRest = { additional: restOf(reader) }
  const writerRest = { additional: restOf(writer) }
  compareMembers(comparison, {
    what: "ITEM",
    reader: places(readerTuple),
    writer: places(writerTuple),
    readerContent: contentOf(readerRest, "additional", "unevaluatedItems", {}),
    writerContent: contentOf(writerRest, "additional", "unevaluatedItems", {}),
    needs: () => false,
    path: `${path}/items`,
  })
  compareRest(comparison, "additional", "ADDITIONAL_ITEMS", readerRest, writerRest, path)
}

/** Draft 2020-12 has prefixItems, earlier ones an array of items. */
const tupleOf = (schema: JsonObject): readonly unknown[] | undefined =>
  Array.isArray(schema.prefixItems) ? schema.prefixItems : Array.isArray(schema.items) ? schema.items : undefined

const restOf = (schema: JsonObject): unknown =>
  Array.isArray(schema.prefixItems) ? schema.items : Array.isArray(schema.items) ? schema.additionalItems : schema.items

interface Members {
  readonly what: "PROPERTY" | "ITEM"
  readonly reader: ReadonlyMap<string, unknown>
  readonly writer: ReadonlyMap<string, unknown>
  readonly readerContent: Content
  readonly writerContent: Content
  /** Whether the reader demands a name and offers no default. */
  readonly needs: (name: string) => boolean
  readonly path: string
}

function compareMembers(comparison: Comparison, members: Members): void {
  for (const [name, schema] of members.writer) {
    const at = `${members.path}/${name}`
    if (members.reader.has(name)) comparison.compare(comparison, members.reader.get(name), schema, at)
    else memberGoes(comparison, members, name, schema, at)
  }
  for (const [name, schema] of members.reader) {
    if (!members.writer.has(name)) memberComes(comparison, members, name, schema, `${members.path}/${name}`)
  }
}

function memberGoes(comparison: Comparison, members: Members, name: string, schema: unknown, at: string): void {
  const { what, readerContent } = members
  if (readerContent.model === "open" || isNothing(schema)) return
  const cover = readerContent.cover(name)
  if (readerContent.model === "partial" && !isNothing(cover) && comparison.accepts(comparison, cover, schema)) return
  const closed = readerContent.model === "closed" || isNothing(cover)
  const type = closed
    ? `${what}_REMOVED_FROM_CLOSED_CONTENT_MODEL`
    : `${what}_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL`
  refuse(comparison, type, at, `the reader does not take the ${what.toLowerCase()} ${name}, which the writer has`)
}

function memberComes(comparison: Comparison, members: Members, name: string, schema: unknown, at: string): void {
  const { what, writerContent } = members
  if (members.needs(name)) {
    return refuse(
      comparison,
      `REQUIRED_${what}_ADDED_TO_${writerContent.model === "open" ? "" : "UN"}OPEN_CONTENT_MODEL`,
      at,
      `the reader demands the ${what.toLowerCase()} ${name}, which the writer lacks`,
    )
  }
  if (writerContent.model === "closed" || isAnything(schema)) return
  if (writerContent.model === "open") {
    if (comparison.lenient && what === "PROPERTY") return
    return refuse(
      comparison,
      `${what}_ADDED_TO_OPEN_CONTENT_MODEL`,
      at,
      `the writer's objects may hold anything as ${name}, the reader takes less`,
    )
  }
  const cover = writerContent.cover(name)
  if (isNothing(cover) || comparison.accepts(comparison, schema, cover)) return
  refuse(
    comparison,
    `${what}_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL`,
    at,
    `the writer's objects may hold as ${name} what the reader does not take`,
  )
}

function contentOf(schema: JsonObject, additional: string, unevaluated: string, patterns: JsonObject): Content {
  const rest = schema[additional] ?? schema[unevaluated]
  const matches = Object.entries(patterns).map(([pattern, covered]) => ({ pattern: new RegExp(pattern, "u"), covered }))
  return {
    model:
      isNothing(rest) && matches.length === 0
        ? "closed"
        : isAnything(rest) && matches.length === 0
          ? "open"
          : "partial",
    cover: (name) => matches.find(({ pattern }) => pattern.test(name))?.covered ?? rest ?? true,
  }
}

/** Whether the reader demands a property, new to it, without offering a default. */
function requiredWithoutDefault(reader: JsonObject, writer: JsonObject): (name: string) => boolean {
  const now = strings(reader.required)
  const before = strings(writer.required)
  return (name) => now.includes(name) && !before.includes(name) && !hasDefault(reader, name)
}

const hasDefault = (schema: JsonObject, name: string): boolean => {
  const property = object(schema.properties)[name]
  return typeof property === "object" && property !== null && "default" in property
}

/** Properties that both know and only the reader demands, or that it demands without describing them. */
function compareRequired(comparison: Comparison, reader: JsonObject, writer: JsonObject, path: string): void {
  const needs = requiredWithoutDefault(reader, writer)
  for (const name of strings(reader.required)) {
    const isNew = Object.hasOwn(object(reader.properties), name) && !Object.hasOwn(object(writer.properties), name)
    if (isNew || !needs(name)) continue
    refuse(comparison, "REQUIRED_ATTRIBUTE_ADDED", `${path}/required`, `the reader demands the property ${name}`)
  }
}

/** What is made of names that are not listed: it may widen. */
function compareRest(
  comparison: Comparison,
  keyword: string,
  type: string,
  reader: JsonObject,
  writer: JsonObject,
  path: string,
): void {
  const now = reader[keyword]
  const before = writer[keyword]
  if (isAnything(now) || isNothing(before)) return
  if (isNothing(now)) {
    if (comparison.lenient) return
    return refuse(comparison, `${type}_REMOVED`, `${path}/${keyword}`, "the reader takes no others")
  }
  if (isAnything(before)) {
    if (comparison.lenient) return
    return refuse(comparison, `${type}_NARROWED`, `${path}/${keyword}`, "the reader takes only some others")
  }
  comparison.compare(comparison, now, before, `${path}/${keyword}`)
}

function compareDependencies(comparison: Comparison, reader: JsonObject, writer: JsonObject, path: string): void {
  for (const keyword of ["dependencies", "dependentRequired", "dependentSchemas"]) {
    const before = object(writer[keyword])
    for (const [name, demanded] of Object.entries(object(reader[keyword]))) {
      const at = `${path}/${keyword}/${name}`
      const known = before[name]
      if (known === undefined)
        refuse(comparison, "DEPENDENCY_ADDED", at, `the reader ties more to the property ${name}`)
      else if (!Array.isArray(demanded)) comparison.compare(comparison, demanded, known, at)
      else if (!demanded.every((one) => strings(known).includes(one as string))) {
        refuse(comparison, "DEPENDENCY_ARRAY_EXTENDED", at, `the reader ties more to the property ${name}`)
      }
    }
  }
}

const object = (json: unknown): JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json) ? (json as JsonObject) : {}

const strings = (json: unknown): readonly string[] => (Array.isArray(json) ? json : [])

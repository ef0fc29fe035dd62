/**
 * Can a reader's JSON schema accept what a writer's accepts?
 *
 * The verdicts of Confluent's registry, by the rules it documents: what the reader demands may relax, not tighten. A
 * property may be added where the writer's objects could not have had it (a closed content model), and removed where the
 * reader does not mind unknown ones (an open one); see `object-compatibility.ts`. `oneOf` and `anyOf` may grow, `allOf` may
 * shrink, their parts paired so that as many as possible match. Titles, descriptions, defaults and ids say nothing.
 *
 * `lenient` (compatibilityPolicy LENIENT) lets open models gain optional properties and closed ones close.
 */
import { type Comparison, type JsonIncompatibility, refuse } from "./comparison.ts"
import { sameJson } from "./equality.ts"
import { JsonDocument, type JsonObject, type Node } from "./model.ts"
import { compareArrays, compareObjects } from "./object-compatibility.ts"
import { compareNumbers, compareStrings } from "./scalar-compatibility.ts"

export interface JsonPolicy {
  readonly lenient?: boolean
}

export type { JsonIncompatibility } from "./comparison.ts"

/** Why the reader may refuse what the writer accepts; empty when it refuses nothing. */
export function jsonIncompatibilities(
  reader: unknown,
  writer: unknown,
  policy: JsonPolicy = {},
): JsonIncompatibility[] {
  const comparison: Comparison = {
    reader: new JsonDocument(reader),
    writer: new JsonDocument(writer),
    lenient: policy.lenient ?? false,
    found: [],
    open: new Map(),
    compare: compareSchemas,
    accepts,
  }
  compareSchemas(comparison, reader, writer, "#")
  return comparison.found
}

function compareSchemas(comparison: Comparison, reader: unknown, writer: unknown, path: string): void {
  compareNodes(comparison, comparison.reader.node(reader), comparison.writer.node(writer), path)
}

function accepts(comparison: Comparison, reader: unknown, writer: unknown): boolean {
  return acceptsNode(comparison, comparison.reader.node(reader), comparison.writer.node(writer))
}

function acceptsNode(comparison: Comparison, reader: Node, writer: Node): boolean {
  const open = new Map([...comparison.open].map(([node, others]) => [node, new Set(others)]))
  const trial: Comparison = { ...comparison, found: [], open }
  compareNodes(trial, reader, writer, "")
  return trial.found.length === 0
}

function compareNodes(comparison: Comparison, reader: Node, writer: Node, path: string): void {
  if (reader.kind === "any" || writer.kind === "never") return
  const seen = comparison.open.get(reader) ?? new Set()
  if (seen.has(writer)) return
  comparison.open.set(reader, seen.add(writer))
  if (isCombined(reader) && isCombined(writer)) return compareCombined(comparison, reader, writer, path)
  if (isCombined(reader)) return toCombined(comparison, reader, writer, path)
  if (isCombined(writer)) return fromCombined(comparison, reader, writer, path)
  if (reader.kind !== writer.kind) {
    return refuse(comparison, "TYPE_CHANGED", path, `the reader takes ${nameOf(reader)}, the writer ${nameOf(writer)}`)
  }
  compareSame(comparison, reader, writer as never, path)
}

function compareSame(comparison: Comparison, reader: Node, writer: Node, path: string): void {
  switch (reader.kind) {
    case "object":
      return compareObjects(comparison, reader.schema, schemaOf(writer), path)
    case "array":
      return compareArrays(comparison, reader.schema, schemaOf(writer), path)
    case "string":
      return compareStrings(comparison, reader.schema, schemaOf(writer), path)
    case "number":
      if (reader.isInteger && writer.kind === "number" && !writer.isInteger) {
        refuse(comparison, "TYPE_NARROWED", path, "the reader takes integers only, the writer any number")
      }
      return compareNumbers(comparison, reader.schema, schemaOf(writer), path)
    case "enum": {
      const missing = (writer as typeof reader).values.filter(
        (value) => !reader.values.some((known) => sameJson(known, value)),
      )
      if (missing.length === 0) return
      const listed = missing.map((value) => JSON.stringify(value)).join(", ")
      return refuse(comparison, "ENUM_ARRAY_NARROWED", path, `the reader does not know the values ${listed}`)
    }
    case "not":
      // What the reader excludes must have been excluded before: the other way round.
      if (!accepts(inverse(comparison), (writer as typeof reader).inner, reader.inner)) {
        refuse(comparison, "NOT_TYPE_NARROWED", path, "the reader excludes more than the writer")
      }
      return
    case "if": {
      const other = schemaOf(writer)
      if (!sameJson(reader.schema.if, other.if)) {
        return refuse(comparison, "CONDITION_CHANGED", path, "the condition of if differs")
      }
      for (const branch of ["then", "else"]) {
        comparison.compare(comparison, reader.schema[branch] ?? true, other[branch] ?? true, `${path}/${branch}`)
      }
      return
    }
    case "external":
      if (reader.reference === (writer as typeof reader).reference) return
      return refuse(comparison, "REFERENCE_CHANGED", path, `the reader refers to ${reader.reference}`)
  }
}

type Combined = Extract<Node, { readonly parts: readonly Node[] }>
const isCombined = (node: Node): node is Combined => "parts" in node
const schemaOf = (node: Node): JsonObject => (node as { readonly schema: JsonObject }).schema
const inverse = (comparison: Comparison): Comparison => ({
  ...comparison,
  reader: comparison.writer,
  writer: comparison.reader,
  found: [],
  open: new Map(),
})

/** One type became a combination. */
function toCombined(comparison: Comparison, reader: Combined, writer: Node, path: string): void {
  if (reader.kind === "allOf") {
    for (const [index, part] of reader.parts.entries()) compareNodes(comparison, part, writer, `${path}/allOf/${index}`)
  } else if (!reader.parts.some((part) => acceptsNode(comparison, part, writer))) {
    refuse(
      comparison,
      "TYPE_CHANGED",
      path,
      `no part of the reader's ${reader.kind} takes the writer's ${nameOf(writer)}`,
    )
  }
}

/** A combination became one type. */
function fromCombined(comparison: Comparison, reader: Node, writer: Combined, path: string): void {
  if (writer.kind === "allOf") {
    if (writer.parts.some((part) => acceptsNode(comparison, reader, part))) return
    refuse(comparison, "TYPE_NARROWED", path, `the reader's ${nameOf(reader)} is no part of the writer's allOf`)
  } else {
    for (const [index, part] of writer.parts.entries()) {
      if (acceptsNode(comparison, reader, part)) continue
      refuse(comparison, "TYPE_NARROWED", path, `the reader does not take part ${index} of the writer's ${writer.kind}`)
    }
  }
}

function compareCombined(comparison: Comparison, reader: Combined, writer: Combined, path: string): void {
  // A value of one part of oneOf is one of anyOf; an allOf asks for all parts, whatever it is compared with.
  const widens = reader.kind === writer.kind || (reader.kind === "anyOf" && writer.kind === "oneOf")
  if (!widens) {
    if (reader.kind === "allOf") return toCombined(comparison, reader, writer, path)
    if (writer.kind === "allOf") return fromAllOf(comparison, reader, writer, path)
    return refuse(comparison, "COMBINED_TYPE_CHANGED", path, `the reader has ${reader.kind}, the writer ${writer.kind}`)
  }
  const matched = matching(reader.parts, writer.parts, (left, right) => acceptsNode(comparison, left, right))
  const needed = reader.kind === "allOf" ? reader.parts.length : writer.parts.length
  if (matched >= needed) return
  const type = reader.kind === "allOf" ? "PRODUCT_TYPE_EXTENDED" : "SUM_TYPE_NARROWED"
  refuse(comparison, type, path, `${needed - matched} parts of ${reader.kind} have no counterpart`)
}

/** The writer's values pass all its parts: it is enough that the reader takes what one of them takes. */
function fromAllOf(comparison: Comparison, reader: Combined, writer: Combined, path: string): void {
  if (writer.parts.some((part) => acceptsNode(comparison, reader, part))) return
  refuse(comparison, "TYPE_CHANGED", path, `no part of the reader's ${reader.kind} takes the writer's allOf`)
}

/** How many parts can be paired with another one each, at most (augmenting paths). */
function matching<T>(left: readonly T[], right: readonly T[], fits: (left: T, right: T) => boolean): number {
  const partner = new Map<number, number>()
  const edges = left.map((one) => right.flatMap((other, index) => (fits(one, other) ? [index] : [])))
  const augment = (from: number, visited: Set<number>): boolean =>
    edges[from]!.some((to) => {
      if (visited.has(to)) return false
      visited.add(to)
      const other = partner.get(to)
      if (other !== undefined && !augment(other, visited)) return false
      partner.set(to, from)
      return true
    })
  return left.filter((_, index) => augment(index, new Set())).length
}

const nameOf = (node: Node): string => (node.kind === "number" && node.isInteger ? "integer" : node.kind)

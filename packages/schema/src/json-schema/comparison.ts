/**
 * What the parts of the comparison of two JSON schemas share: the documents, what was found, and the way back to the
 * comparison of any two schemas.
 */
import type { JsonDocument, Node } from "./model.ts"

export interface JsonIncompatibility {
  readonly type: string
  /** Where in the schema, as a JSON pointer. */
  readonly path: string
  readonly description: string
}

export interface Comparison {
  readonly reader: JsonDocument
  readonly writer: JsonDocument
  readonly lenient: boolean
  readonly found: JsonIncompatibility[]
  /** Pairs being compared or compared: a pair met again inside itself decides nothing. */
  readonly open: Map<Node, Set<Node>>
  compare(comparison: Comparison, reader: unknown, writer: unknown, path: string): void
  /** The same as a question, with nothing found. */
  accepts(comparison: Comparison, reader: unknown, writer: unknown): boolean
}

export function refuse(comparison: Comparison, type: string, path: string, description: string): void {
  comparison.found.push({ type, path, description: `${description}, at ${path}` })
}

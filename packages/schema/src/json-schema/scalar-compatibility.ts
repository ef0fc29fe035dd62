/**
 * Bounds: they may go or relax, not come or tighten.
 */
import { type Comparison, refuse } from "./comparison.ts"
import type { JsonObject } from "./model.ts"

/** A bound that is a number: `reader` may not exceed it towards `direction`. */
export function compareBound(
  comparison: Comparison,
  keyword: string,
  direction: "max" | "min",
  reader: JsonObject,
  writer: JsonObject,
  path: string,
): void {
  const now = reader[keyword]
  const before = writer[keyword]
  if (typeof now !== "number") return
  const name = keyword.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
  if (typeof before !== "number") {
    refuse(comparison, `${name}_ADDED`, `${path}/${keyword}`, `the reader demands ${keyword} ${now}`)
  } else if (direction === "max" ? now < before : now > before) {
    const change = direction === "max" ? "DECREASED" : "INCREASED"
    refuse(comparison, `${name}_${change}`, `${path}/${keyword}`, `${keyword} goes from ${before} to ${now}`)
  }
}

export function compareStrings(comparison: Comparison, reader: JsonObject, writer: JsonObject, path: string): void {
  compareBound(comparison, "maxLength", "max", reader, writer, path)
  compareBound(comparison, "minLength", "min", reader, writer, path)
  if (reader.pattern === undefined || reader.pattern === writer.pattern) return
  const type = writer.pattern === undefined ? "PATTERN_ADDED" : "PATTERN_CHANGED"
  refuse(comparison, type, `${path}/pattern`, `the reader demands the pattern ${String(reader.pattern)}`)
}

export function compareNumbers(comparison: Comparison, reader: JsonObject, writer: JsonObject, path: string): void {
  compareBound(comparison, "maximum", "max", reader, writer, path)
  compareBound(comparison, "minimum", "min", reader, writer, path)
  compareBound(comparison, "exclusiveMaximum", "max", reader, writer, path)
  compareBound(comparison, "exclusiveMinimum", "min", reader, writer, path)
  const now = reader.multipleOf
  const before = writer.multipleOf
  if (typeof now !== "number" || now === before) return
  if (typeof before !== "number") {
    refuse(comparison, "MULTIPLE_OF_ADDED", `${path}/multipleOf`, `the reader demands multiples of ${now}`)
  } else if (before % now !== 0) {
    const change = `multiples of ${before} need not be multiples of ${now}`
    refuse(comparison, "MULTIPLE_OF_CHANGED", `${path}/multipleOf`, change)
  }
}

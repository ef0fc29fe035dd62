/**
 * JSON as text: without white space, and with keys in order.
 */

/** The same text without white space between its tokens; numbers and the order of keys stay as they are written. */
export const minify = (json: string): string =>
  json.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, (_, text: string | undefined) => text ?? "")

/** The same value with the keys of every object sorted. */
export function sortKeys(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(sortKeys)
  if (typeof json !== "object" || json === null) return json
  const sorted = Object.entries(json).sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0))
  return Object.fromEntries(sorted.map(([key, value]) => [key, sortKeys(value)]))
}

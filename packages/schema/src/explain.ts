/**
 * Words for error messages.
 */

/** What is wrong, in one line: the message of an error, or whatever was thrown as text. */
export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** A value for an error message: its type, and itself where that is short. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return `${value}`
  if (typeof value === "string") return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length}`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === "object") return `a ${value.constructor?.name ?? "null-prototype"} object`
  return `a ${typeof value}`
}

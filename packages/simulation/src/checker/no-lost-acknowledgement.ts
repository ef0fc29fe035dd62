/**
 * Invariant 1: a record whose write was acknowledged is in the log.
 */
export function noLostAcknowledgement(acknowledged: ReadonlySet<string>, log: readonly string[]): string[] {
  const present = new Set(log)
  return [...acknowledged].filter((value) => !present.has(value)).map((value) => `acknowledged but missing: ${value}`)
}

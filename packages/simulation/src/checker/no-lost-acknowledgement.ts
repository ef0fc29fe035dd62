/**
 * Invariant 1: a record whose write was acknowledged is in the log, where the acknowledgement said.
 */
import type { Placed } from "./observed.ts"

export function noLostAcknowledgement(
  acknowledged: ReadonlyMap<string, { readonly partition: number; readonly offset: number }>,
  log: readonly (readonly Placed[])[],
): string[] {
  const places = new Map<string, string>()
  for (const [partition, records] of log.entries())
    for (const { offset, value } of records) places.set(value, `${partition}@${offset}`)
  const findings: string[] = []
  for (const [value, { partition, offset }] of acknowledged) {
    const place = places.get(value)
    if (place === undefined) findings.push(`acknowledged but missing: ${value}`)
    // A broker that knows the batch for a repetition it has dropped from its window cannot say where it is.
    else if (offset >= 0 && place !== `${partition}@${offset}`)
      findings.push(`acknowledged at ${partition}@${offset} but stored at ${place}: ${value}`)
  }
  return findings
}

/**
 * Invariant 2: after a power cut without fsync, what is left of a partition is what its writer sent, up to some point:
 * nothing is missing from the middle, nothing changed place.
 */
export function cleanPrefix(partition: string, sent: readonly string[], log: readonly string[]): string[] {
  for (const [index, value] of log.entries()) {
    if (value !== sent[index])
      return [`${partition} is no prefix of what was sent: ${value} stands where ${sent[index]} should`]
  }
  return []
}

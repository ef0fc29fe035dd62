/**
 * Invariant 3: what an idempotent producer sent once is in the log at most once, however often it was retried.
 */
export function noDuplicate(log: readonly string[]): string[] {
  const seen = new Set<string>()
  const findings: string[] = []
  for (const value of log) {
    if (seen.has(value)) findings.push(`duplicated in the log: ${value}`)
    seen.add(value)
  }
  return findings
}

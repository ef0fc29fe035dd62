/**
 * Invariants 4 and 8: what read_committed sees of a read-process-write's output is its input, each value once, in the
 * order of its input partition, and nothing that was aborted.
 */
export function exactCopy(input: readonly string[], copy: readonly string[], aborted: ReadonlySet<string>): string[] {
  const findings: string[] = []
  const counts = new Map<string, number>()
  for (const value of copy) {
    if (aborted.has(value)) findings.push(`aborted but visible: ${value}`)
    else counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const inputs = new Set(input)
  for (const value of inputs) {
    const count = counts.get(value) ?? 0
    if (count === 0) findings.push(`not copied: ${value}`)
    if (count > 1) findings.push(`copied ${count} times: ${value}`)
  }
  for (const value of counts.keys()) if (!inputs.has(value)) findings.push(`copied from nowhere: ${value}`)
  return findings
}

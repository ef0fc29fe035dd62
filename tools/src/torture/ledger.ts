/**
 * What clients were told, against what the log holds. Values are unique texts; the ledger knows which were
 * acknowledged, and which belong to transactions that were aborted on purpose.
 */
export class Ledger {
  readonly acknowledged = new Set<string>()
  readonly aborted = new Set<string>()
  sent = 0

  /** Findings in the topic that idempotent producers write: every value at most once, every acknowledged one there. */
  checkInput(log: readonly string[]): string[] {
    const findings: string[] = []
    const seen = new Set<string>()
    for (const value of log) {
      if (seen.has(value)) findings.push(`duplicated in the input topic: ${value}`)
      seen.add(value)
    }
    for (const value of this.acknowledged) if (!seen.has(value)) findings.push(`acknowledged but missing: ${value}`)
    return findings
  }

  /** Findings in what read_committed sees of the copiers' topic: exactly the input, each value once. */
  checkCopy(input: readonly string[], copy: readonly string[]): string[] {
    const findings: string[] = []
    const counts = new Map<string, number>()
    for (const value of copy) {
      if (this.aborted.has(value)) findings.push(`aborted but visible: ${value}`)
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
}

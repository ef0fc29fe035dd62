/** Duplicates: a value that was sent once stands at more than one offset. */
import type { VersionOrder } from "./version-order.ts"

export function duplicateValues(order: VersionOrder): string[] {
  const findings: string[] = []
  for (const key of order.keys()) {
    const first = new Map<string, number>()
    for (const [offset, values] of order.at(key)) {
      for (const value of values) {
        const before = first.get(value)
        if (before === undefined) first.set(value, offset)
        else findings.push(`${value} is in ${key} at ${before} and at ${offset}`)
      }
    }
  }
  return findings
}

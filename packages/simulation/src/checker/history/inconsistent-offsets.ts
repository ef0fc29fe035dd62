/** Inconsistent offsets: readers, or a reader and a writer, were told different values at one offset. */
import type { VersionOrder } from "./version-order.ts"

export function inconsistentOffsets(order: VersionOrder): string[] {
  const findings: string[] = []
  for (const key of order.keys()) {
    for (const [offset, values] of order.at(key)) {
      if (values.size > 1) findings.push(`${key} has different values at offset ${offset}: ${[...values].join(", ")}`)
    }
  }
  return findings
}

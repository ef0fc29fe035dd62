/**
 * Lost writes: a committed value that nobody read, though somebody read one behind it. An unknown one counts as committed
 * once any value of its transaction was read.
 */
import { type History, type Operation, pollsOf, sendsOf } from "./history.ts"
import type { VersionOrder } from "./version-order.ts"

export function lostWrites(history: History, order: VersionOrder): string[] {
  const read = new Map<string, Set<string>>()
  const bound = new Map<string, number>()
  for (const operation of history) {
    if (operation.type !== "ok") continue
    for (const { key, reads } of pollsOf(operation)) {
      let values = read.get(key)
      if (values === undefined) read.set(key, (values = new Set()))
      for (const { value } of reads) {
        values.add(value)
        bound.set(key, Math.max(bound.get(key) ?? -1, order.place(key, value) ?? -1))
      }
    }
  }
  const findings: string[] = []
  for (const operation of history) {
    if (!isVisible(operation, read)) continue
    for (const { key, value, offset } of sendsOf(operation)) {
      if (read.get(key)?.has(value)) continue
      const place = order.place(key, value)
      // Acknowledged without a place, as a repetition of long ago may be: it stands somewhere, or nobody may have read on.
      if (place === undefined ? offset === undefined : place > (bound.get(key) ?? -1)) continue
      findings.push(`${value} of ${operation.process} was committed to ${key}, and nobody read it who read on`)
    }
  }
  return findings
}

function isVisible(operation: Operation, read: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  if (operation.type !== "info") return operation.type === "ok"
  return sendsOf(operation).some(({ key, value }) => read.get(key)?.has(value))
}

/**
 * Polls of one process go forward, value by value: within a poll, within a transaction, and from one to the next, unless
 * it set its positions anew in between. A skip misses a value, a step back reads one again.
 */
import { type History, pollsOf, processes } from "./history.ts"
import type { VersionOrder } from "./version-order.ts"

export function pollOrder(history: History, order: VersionOrder): string[] {
  const findings: string[] = []
  for (const [process, operations] of processes(history)) {
    const last = new Map<string, { readonly value: string; readonly place: number }>()
    for (const operation of operations) {
      if (operation.isRepositioned) last.clear()
      for (const { key, reads } of pollsOf(operation)) {
        for (const { value } of reads) {
          const place = order.place(key, value)!
          const before = last.get(key)
          if (before !== undefined && place !== before.place + 1) {
            const how = place > before.place ? "skips values" : "goes back"
            findings.push(
              `${process} ${how} in ${key}: it read ${value}, place ${place}, after ${before.value}, ${before.place}`,
            )
          }
          last.set(key, { value, place })
        }
      }
    }
  }
  return findings
}

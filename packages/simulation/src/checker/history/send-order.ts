/** Sends of one process to a key stand there in the order in which it sent them; others' may stand between. */
import { type History, processes, sendsOf } from "./history.ts"
import type { VersionOrder } from "./version-order.ts"

export function sendOrder(history: History, order: VersionOrder): string[] {
  const findings: string[] = []
  for (const [process, operations] of processes(history)) {
    const last = new Map<string, { readonly value: string; readonly place: number }>()
    for (const operation of operations) {
      for (const { key, value } of sendsOf(operation)) {
        const place = order.place(key, value)
        if (place === undefined) continue
        const before = last.get(key)
        if (before !== undefined && place <= before.place)
          findings.push(`${process} sent ${value} to ${key} after ${before.value}, and it stands before it`)
        last.set(key, { value, place })
      }
    }
  }
  return findings
}

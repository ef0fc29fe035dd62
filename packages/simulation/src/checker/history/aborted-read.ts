/** G1a, aborted read: somebody read, committed, what a transaction wrote that never committed. */
import { type History, pollsOf, sendsOf } from "./history.ts"

export function abortedReads(history: History): string[] {
  const failed = new Map<string, string>()
  for (const operation of history) {
    if (operation.type !== "fail") continue
    for (const { value } of sendsOf(operation)) failed.set(value, operation.process)
  }
  const findings = new Set<string>()
  for (const operation of history) {
    for (const { key, reads } of pollsOf(operation)) {
      for (const { value } of reads) {
        const writer = failed.get(value)
        if (writer !== undefined)
          findings.add(`${operation.process} read ${value} from ${key}, which ${writer} never committed`)
      }
    }
  }
  return [...findings]
}

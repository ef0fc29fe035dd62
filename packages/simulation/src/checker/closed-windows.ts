/**
 * Windows that are put out when they close: each of them once, and every event in one of them or among the late, once.
 */
import type { ClosedValue } from "../workload/pipeline.ts"

export function closedWindows(
  closed: readonly ClosedValue[],
  late: readonly string[],
  events: ReadonlySet<string>,
): string[] {
  const findings: string[] = []
  const windows = new Set<string>()
  const places = new Map<string, string>()
  const put = (id: string, where: string) => {
    const before = places.get(id)
    if (before !== undefined) findings.push(`event ${id} is in ${before} and in ${where}`)
    if (!events.has(id)) findings.push(`event ${id}, in ${where}, was never sent, or is filtered out`)
    places.set(id, where)
  }
  for (const { key, ids } of closed) {
    if (windows.has(key)) findings.push(`the window ${key} closes twice`)
    windows.add(key)
    for (const id of ids) put(id, `the window ${key}`)
  }
  for (const id of late) put(id, "the late events")
  for (const id of events) if (!places.has(id)) findings.push(`event ${id} is in no window, and is not late`)
  return findings
}

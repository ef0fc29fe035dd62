/**
 * What is left of a compacted topic once all of it was cleaned, as one sees it who reads uncommitted: the last committed
 * value of every key (or one of unknown outcome that came later), once, and of deleted keys nothing. What is too much is a
 * finding each.
 */
import type { TableRow, Update } from "./latest-values.ts"

export function cleanedTable(
  updates: ReadonlyMap<string, readonly Update[]>,
  rows: readonly (readonly TableRow[])[],
): string[] {
  const findings: string[] = []
  const seen = new Set<string>()
  for (const { key, value } of rows.flat()) {
    const list = updates.get(key) ?? []
    const last = list.findLastIndex(({ state }) => state === "committed")
    if (value === null) findings.push(`${key} still has a tombstone`)
    else if (!list.some((update, number) => number >= last && update.value === value && update.state !== "aborted"))
      findings.push(`${key} still has ${value}`)
    else if (seen.has(key)) findings.push(`${key} has a value, and also ${value}`)
    else seen.add(key)
  }
  return findings
}

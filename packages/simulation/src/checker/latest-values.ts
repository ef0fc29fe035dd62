/**
 * A compacted topic keeps the last value of every key: whoever reads all of it ends with what was committed last, or with
 * something newer, of each key; and sees a key's values in the order in which they were written, none of them aborted.
 *
 * A reader that takes longer than tombstones are kept may miss one, and then ends with what it deleted.
 */
export interface Update {
  /** "KEY=NUMBER", numbered by the key's updates from 0 on; null deletes. */
  readonly value: string | null
  state: "unknown" | "committed" | "aborted"
  settledAt: number
}

export interface TableRow {
  readonly key: string
  readonly value: string | null
}

export function latestValues(
  updates: ReadonlyMap<string, readonly Update[]>,
  rows: readonly (readonly TableRow[])[],
  /** When reading began: what was committed before must be in it. */
  startedAt: number,
  missesTombstones: boolean,
): string[] {
  const findings: string[] = []
  const last = new Map<string, TableRow>()
  for (const list of rows) {
    for (const row of list) {
      const before = last.get(row.key)
      if (before && numberOf(before) > numberOf(row) && row.value !== null)
        findings.push(`${row.value} stands behind ${before.value}`)
      const update = updates.get(row.key)?.[numberOf(row)]
      if (row.value !== null && update?.value !== row.value) findings.push(`${row.key} has ${row.value}, never written`)
      if (update?.state === "aborted") findings.push(`aborted but visible: ${row.value}`)
      last.set(row.key, row)
    }
  }
  for (const [key, list] of updates) {
    const bound = list.findLastIndex(({ state, settledAt }) => state === "committed" && settledAt < startedAt)
    if (bound < 0) continue
    const row = last.get(key)
    const isDeleted = row === undefined || row.value === null
    const isRight = isDeleted
      ? list.some(({ value, state }, number) => number >= bound && value === null && state !== "aborted")
      : numberOf(row) >= bound || (missesTombstones && list[bound]!.value === null)
    if (!isRight)
      findings.push(
        `${key} ends as ${row?.value ?? "deleted"}, after ${list[bound]!.value ?? "a tombstone"} (update ${bound}) was committed`,
      )
  }
  return findings
}

/** -1 of a tombstone, which has none. */
const numberOf = ({ value }: TableRow): number => (value === null ? -1 : Number(value.slice(value.indexOf("=") + 1)))

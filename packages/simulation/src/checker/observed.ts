/**
 * Consistent reads: what a reader saw while the faults struck is what the log holds in the end, at the same offsets, and
 * nothing in between was skipped.
 */
export interface Placed {
  readonly offset: number
  readonly value: string
}

export function observed(partition: string, seen: readonly Placed[], log: readonly Placed[]): string[] {
  for (const [index, { offset, value }] of seen.entries()) {
    const final = log[index]
    if (final === undefined) return [`${partition}: ${value} was read at ${offset} and is not in the log`]
    if (final.offset !== offset || final.value !== value) {
      return [`${partition}: ${value} was read at ${offset}, where the log has ${final.value} at ${final.offset} next`]
    }
  }
  return []
}

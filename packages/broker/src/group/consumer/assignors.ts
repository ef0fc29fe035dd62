/** The assignors there are, and the one that a group goes by. */
import type { Assignor } from "./assignor.ts"
import { range } from "./range-assignor.ts"
import { uniform } from "./uniform-assignor.ts"

/** By the names that members ask for. The first is what a group gets whose members ask for none. */
export const assignors: ReadonlyMap<string, Assignor> = new Map([
  ["uniform", uniform],
  ["range", range],
])

export const defaultAssignor = "uniform"

/** What most members ask for; of several the one that sorts first. */
export function preferredAssignor(asked: Iterable<string | null>): string {
  const votes = new Map<string, number>()
  for (const name of asked) if (name !== null) votes.set(name, (votes.get(name) ?? 0) + 1)
  const [winner] = [...votes].sort(([left, a], [right, b]) => b - a || (left < right ? -1 : 1))
  return winner?.[0] ?? defaultAssignor
}

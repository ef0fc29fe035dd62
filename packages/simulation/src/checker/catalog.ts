/** What the broker tells of a topic is what it was told last, or, of a change without an answer, what was before it. */
export interface CatalogEntry {
  /** Undefined of a topic of which only the next look tells the id. */
  readonly id: string | undefined
  readonly partitions: number
  readonly config: string
}

export function catalogMatches(
  name: string,
  found: CatalogEntry | undefined,
  allowed: readonly (CatalogEntry | undefined)[],
): string[] {
  if (allowed.some((one) => matches(found, one))) return []
  return [`${name} is ${describe(found)}, and should be ${allowed.map(describe).join(", or ")}`]
}

function matches(found: CatalogEntry | undefined, one: CatalogEntry | undefined): boolean {
  if (found === undefined || one === undefined) return found === one
  return found.partitions === one.partitions && found.config === one.config && (one.id ?? found.id) === found.id
}

const describe = (entry: CatalogEntry | undefined): string =>
  entry ? `${entry.id ?? "new"} with ${entry.partitions} partitions and ${entry.config}` : "gone"

/**
 * Divides partitions among members that need not subscribe to the same topics: balanced first, then sticky (KIP-54).
 *
 * Kept: what a member had and still subscribes to. The rest goes to who has least, scarce partitions (few subscribers)
 * first. Then single partitions move from a member to another subscriber that has at least two fewer, until none can:
 * every move lowers the sum of squared loads, so it ends. With equal subscriptions loads then differ by at most one.
 *
 * Deterministic: members are taken in the order given, partitions in theirs.
 */
export interface Claimant {
  readonly id: string
  readonly topics: ReadonlySet<string>
}

export interface Divided {
  readonly topic: string
  readonly partition: number
  /** Who had it; undefined when nobody may claim it. */
  readonly previous: string | undefined
}

interface Load {
  readonly claimant: Claimant
  readonly held: Set<Divided>
}

export function balance(partitions: readonly Divided[], claimants: readonly Claimant[]): Map<string, Divided[]> {
  const loads = new Map(claimants.map((claimant) => [claimant.id, { claimant, held: new Set<Divided>() }]))
  const subscribers = new Map<string, Load[]>()
  for (const { topic } of partitions) {
    if (subscribers.has(topic)) continue
    const of = [...loads.values()].filter(({ claimant }) => claimant.topics.has(topic))
    subscribers.set(topic, of)
  }
  const free: Divided[] = []
  for (const partition of partitions) {
    const holder = partition.previous === undefined ? undefined : loads.get(partition.previous)
    if (holder?.claimant.topics.has(partition.topic)) holder.held.add(partition)
    else if (subscribers.get(partition.topic)!.length > 0) free.push(partition)
  }
  const scarcity = ({ topic }: Divided) => subscribers.get(topic)!.length
  for (const partition of free.toSorted((left, right) => scarcity(left) - scarcity(right))) {
    leastOf(subscribers.get(partition.topic)!).held.add(partition)
  }
  while (moveOne([...loads.values()], subscribers));
  return new Map([...loads].map(([id, { held }]) => [id, [...held]]))
}

/** One round over all members, the fullest first; whether anything moved. */
function moveOne(loads: Load[], subscribers: ReadonlyMap<string, readonly Load[]>): boolean {
  let moved = false
  for (const from of loads.sort((left, right) => right.held.size - left.held.size)) {
    // The last ones first: those that came in this round before those that were here.
    for (const partition of [...from.held].toReversed()) {
      const to = leastOf(subscribers.get(partition.topic)!)
      if (to.held.size + 1 >= from.held.size) continue
      from.held.delete(partition)
      to.held.add(partition)
      moved = true
    }
  }
  return moved
}

function leastOf(loads: readonly Load[]): Load {
  let least = loads[0]!
  for (const load of loads) if (load.held.size < least.held.size) least = load
  return least
}

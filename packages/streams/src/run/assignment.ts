/**
 * Which member of the group gets which task: a pure function of who is there and what they hold.
 *
 * Balanced: members' counts differ by at most one. Sticky: a task stays where it runs as far as balance allows, else goes
 * where its state lies on disk, else to who has least. Ties are broken by the members' stable names, so that every leader
 * decides alike.
 */
export interface AssignedMember {
  readonly id: string
  /** The same across restarts: orders members. */
  readonly stableName: string
  readonly running: readonly string[]
  readonly stored: readonly string[]
}

export function assignTasks(tasks: readonly string[], members: readonly AssignedMember[]): Map<string, string[]> {
  const ordered = [...members].sort((left, right) => (left.stableName < right.stableName ? -1 : 1))
  const assigned = new Map(ordered.map(({ id }) => [id, [] as string[]]))
  if (ordered.length === 0) return assigned
  const least = Math.floor(tasks.length / ordered.length)
  let largerLeft = tasks.length % ordered.length
  const unassigned = new Set(tasks)
  const give = (id: string, task: string): boolean => {
    const held = assigned.get(id)!
    const isLarger = held.length === least
    if (held.length > least || (isLarger && largerLeft === 0)) return false
    if (isLarger) largerLeft--
    held.push(task)
    unassigned.delete(task)
    return true
  }
  for (const { id, running } of ordered) for (const task of running) if (unassigned.has(task)) give(id, task)
  for (const { id, stored } of ordered) for (const task of stored) if (unassigned.has(task)) give(id, task)
  for (const task of [...unassigned]) {
    const byLoad = [...ordered].sort((left, right) => assigned.get(left.id)!.length - assigned.get(right.id)!.length)
    byLoad.some(({ id }) => give(id, task))
  }
  return assigned
}

/**
 * The first step of a cooperative rebalance: what another member still runs is nobody's until it has been given up; its
 * giving up makes the second.
 */
export function withholdMoving(
  assigned: ReadonlyMap<string, readonly string[]>,
  members: readonly AssignedMember[],
): Map<string, string[]> {
  const runner = new Map(members.flatMap(({ id, running }) => running.map((task) => [task, id] as const)))
  const isFree = (id: string, task: string) => (runner.get(task) ?? id) === id
  return new Map([...assigned].map(([id, tasks]) => [id, tasks.filter((task) => isFree(id, task))]))
}

/** Who runs what others were assigned: they must give it up and join again. */
export function awaitedMembers(
  assigned: ReadonlyMap<string, readonly string[]>,
  members: readonly AssignedMember[],
): Set<string> {
  const owner = new Map([...assigned].flatMap(([id, tasks]) => tasks.map((task) => [task, id] as const)))
  const gives = ({ id, running }: AssignedMember) => running.some((task) => (owner.get(task) ?? id) !== id)
  return new Set(members.filter(gives).map(({ id }) => id))
}

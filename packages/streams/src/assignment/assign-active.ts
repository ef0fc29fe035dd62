/**
 * Where every task should run: balanced over members first, then sticky.
 *
 * Tasks with state are dealt out before the others, each kind evenly, so that all counts and those of tasks with state
 * differ by at most one. A task stays where it runs as far as its share allows; else it goes where its state is, the
 * freshest first, and to the member there that keeps the copy; else to who has least, and least of that sub-topology.
 */
import type { AssignedMember, AssignedTask, Group } from "./assignment.ts"

export type Targets = ReadonlyMap<string, AssignedMember>

/** How many each member may have: all as many, and some one more. */
class Shares {
  readonly #counts: Map<string, number>
  readonly #least: number
  #largerLeft: number

  constructor(total: number, held: ReadonlyMap<string, number>, group: Group) {
    this.#counts = new Map(held)
    this.#least = Math.floor(total / group.members.length)
    this.#largerLeft = total % group.members.length
    for (const count of held.values()) if (count > this.#least) this.#largerLeft--
  }

  count(member: AssignedMember): number {
    return this.#counts.get(member.id) ?? 0
  }

  take(member: AssignedMember): boolean {
    const count = this.count(member)
    if (count > this.#least || (count === this.#least && this.#largerLeft === 0)) return false
    if (count === this.#least) this.#largerLeft--
    this.#counts.set(member.id, count + 1)
    return true
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }
}

export function activeTargets(tasks: readonly AssignedTask[], group: Group): Targets {
  const targets = new Map<string, AssignedMember>()
  if (group.members.length === 0) return targets
  const stateful = tasks.filter(({ isStateful }) => isStateful)
  const held = deal(stateful, stateful.length, new Map(), group, targets)
  deal(
    tasks.filter(({ isStateful }) => !isStateful),
    tasks.length,
    held,
    group,
    targets,
  )
  return targets
}

function deal(
  tasks: readonly AssignedTask[],
  total: number,
  held: ReadonlyMap<string, number>,
  group: Group,
  targets: Map<string, AssignedMember>,
): ReadonlyMap<string, number> {
  const shares = new Shares(total, held, group)
  const ofSubtopology = new Map<string, number>()
  const key = (member: AssignedMember, { subtopology }: AssignedTask) => `${member.id} ${subtopology}`
  const give = (task: AssignedTask, member: AssignedMember): boolean => {
    if (!shares.take(member)) return false
    targets.set(task.name, member)
    ofSubtopology.set(key(member, task), (ofSubtopology.get(key(member, task)) ?? 0) + 1)
    return true
  }
  const isLeft = ({ name }: AssignedTask) => !targets.has(name)
  for (const task of tasks) {
    const runner = group.runner(task.name)
    if (runner !== undefined) give(task, runner)
  }
  for (const task of tasks.filter(isLeft)) {
    const withState = group.members.filter(({ processId }) => group.hasState(processId, task.name))
    const order = (member: AssignedMember) => [
      group.lag(member.processId, task),
      group.isStanding(member, task.name) ? 0 : 1,
      shares.count(member),
    ]
    sortedBy(withState, order).some((member) => give(task, member))
  }
  for (const task of tasks.filter(isLeft)) {
    const order = (member: AssignedMember) => [shares.count(member), ofSubtopology.get(key(member, task)) ?? 0]
    sortedBy(group.members, order).some((member) => give(task, member))
  }
  return shares.counts
}

/** By several numbers, the first that differs deciding; otherwise in the order given. */
export function sortedBy<T>(items: readonly T[], order: (item: T) => readonly number[]): T[] {
  const keyed = items.map((item) => ({ item, keys: order(item) }))
  keyed.sort((left, right) => {
    for (const [at, key] of left.keys.entries()) if (key !== right.keys[at]) return key - right.keys[at]!
    return 0
  })
  return keyed.map(({ item }) => item)
}

/**
 * Who keeps copies of which task's state, beside the one that runs it.
 *
 * Never in the process that runs the task or warms up to run it, and no two in one process. Copies stand where tags differ from
 * the active one's and each other's in as many of the rack-aware tags as can be (KIP-708); then where they stand already;
 * then where there is least to read, and least to do. In the end single copies move to members with two fewer, where racks
 * allow it; and where traffic between racks counts, two copies change places when both together cost less then (KIP-925).
 */
import type { Targets } from "./assign-active.ts"
import { sortedBy } from "./assign-active.ts"
import type { AssignedMember, AssignedTask, Group } from "./assignment.ts"
import { trafficOf, weighsTraffic } from "./rack-traffic.ts"

/** Passes over all pairs of copies; mostly the second finds nothing. What is left undone costs traffic and no more. */
const EXCHANGES_MAX = 4

interface Placed {
  readonly active: Targets
  readonly warming: Targets
}

/** Names of tasks by member id. */
export function assignStandbys(tasks: readonly AssignedTask[], group: Group, placed: Placed): Map<string, string[]> {
  const copies = new Copies(group, placed)
  const stateful = tasks.filter(({ name, isStateful }) => isStateful && placed.active.has(name))
  const each = Math.min(group.rules.standbyReplicas, group.processes.size - 1)
  const share = Math.ceil((stateful.length * each) / Math.max(1, group.members.length))
  // What stands stays first, all of it, so that a group that has settled is left as it is.
  for (const task of stateful) {
    for (let copy = 0; copy < each; copy++) {
      const all = copies.candidates(task)
      const fewest = Math.min(...all.map((member) => copies.conflicts(task, member)))
      const kept = all.filter((one) => group.isStanding(one, task.name) && copies.conflicts(task, one) === fewest)
      const [chosen] = sortedBy(kept, (member) => [group.lag(member.processId, task), copies.count(member)])
      if (chosen === undefined) break
      copies.add(task, chosen)
    }
  }
  for (const task of stateful) {
    while (copies.copiesOf(task) < each) {
      const [chosen] = sortedBy(copies.candidates(task), (member) => [
        copies.conflicts(task, member),
        copies.count(member) < share ? 0 : 1,
        group.lag(member.processId, task),
        copies.count(member),
        copies.activeCount(member),
      ])
      if (chosen === undefined) break
      copies.add(task, chosen)
    }
  }
  copies.evenAll(stateful)
  if (weighsTraffic(group)) {
    for (let pass = 0; pass < EXCHANGES_MAX && copies.exchange(stateful); pass++) copies.evenAll(stateful)
  }
  return copies.byMember()
}

class Copies {
  readonly #group: Group
  readonly #placed: Placed
  readonly #holders = new Map<string, readonly AssignedMember[]>()
  readonly #counts = new Map<string, number>()
  readonly #active = new Map<string, number>()
  readonly #costs = new Map<AssignedTask, Map<string, number>>()

  constructor(group: Group, placed: Placed) {
    this.#group = group
    this.#placed = placed
    for (const { id } of placed.active.values()) this.#active.set(id, (this.#active.get(id) ?? 0) + 1)
  }

  count({ id }: AssignedMember): number {
    return this.#counts.get(id) ?? 0
  }

  copiesOf(task: AssignedTask): number {
    return this.#holdersOf(task).length
  }

  activeCount({ id }: AssignedMember): number {
    return this.#active.get(id) ?? 0
  }

  add(task: AssignedTask, member: AssignedMember): void {
    this.#holders.set(task.name, [...this.#holdersOf(task), member])
    this.#counts.set(member.id, this.count(member) + 1)
  }

  #holdersOf({ name }: AssignedTask): readonly AssignedMember[] {
    return this.#holders.get(name) ?? []
  }

  /** Members of processes that have nothing of the task yet. */
  candidates(task: AssignedTask): AssignedMember[] {
    const { active, warming } = this.#placed
    const used = [active.get(task.name), warming.get(task.name), ...this.#holdersOf(task)]
    const excluded = new Set(used.map((member) => member?.processId))
    return this.#group.members.filter(({ processId }) => !excluded.has(processId))
  }

  /** In how many tags the member stands where the task, or another copy than the one that `leaves`, is already. */
  conflicts(task: AssignedTask, member: AssignedMember, leaves?: AssignedMember): number {
    const used = [this.#placed.active.get(task.name)!, ...this.#holdersOf(task)].filter((one) => one !== leaves)
    const tags = this.#group.rules.rackAwareAssignmentTags
    return tags.filter((tag) => used.some((other) => other.tags[tag] === member.tags[tag])).length
  }

  evenAll(tasks: readonly AssignedTask[]): void {
    while (tasks.some((task) => this.#even(task)));
  }

  /** Moves one copy of the task to a member with two fewer; whether there was one. */
  #even(task: AssignedTask): boolean {
    for (const from of this.#holdersOf(task)) {
      const inProcess = this.#group.processes.get(from.processId)!.filter((member) => member !== from)
      const to = [...this.candidates(task), ...inProcess].find(
        (member) =>
          this.count(member) + 1 < this.count(from) &&
          this.conflicts(task, member, from) <= this.conflicts(task, from, from),
      )
      if (to === undefined) continue
      this.#move(task, from, to)
      this.#counts.set(from.id, this.count(from) - 1)
      this.#counts.set(to.id, this.count(to) + 1)
      return true
    }
    return false
  }

  #move({ name }: AssignedTask, from: AssignedMember, to: AssignedMember): void {
    const staying = this.#holders.get(name)!.filter((member) => member !== from)
    this.#holders.set(name, [...staying, to])
  }

  /** Pairs of copies that change places because both together cost less then; whether there were any. */
  exchange(tasks: readonly AssignedTask[]): boolean {
    let found = false
    for (const [at, one] of tasks.entries()) {
      if (this.#holdersOf(one).every((member) => this.#cost(one, member) === 0)) continue
      for (const [index, other] of tasks.entries()) {
        if (index === at) continue
        for (const here of this.#holdersOf(one)) {
          const there = this.#holdersOf(other).find((member) => this.#isCheaper(one, here, other, member))
          if (there === undefined) continue
          this.#move(one, here, there)
          this.#move(other, there, here)
          found = true
          break
        }
      }
    }
    return found
  }

  #isCheaper(one: AssignedTask, here: AssignedMember, other: AssignedTask, there: AssignedMember): boolean {
    if (here.processId === there.processId) return false
    const cost = (task: AssignedTask, member: AssignedMember) => this.#cost(task, member)
    if (cost(one, there) + cost(other, here) >= cost(one, here) + cost(other, there)) return false
    return this.#mayMove(one, here, there) && this.#mayMove(other, there, here)
  }

  #mayMove(task: AssignedTask, from: AssignedMember, to: AssignedMember): boolean {
    if (!this.candidates(task).some(({ processId }) => processId === to.processId)) return false
    return this.conflicts(task, to, from) <= this.conflicts(task, from, from)
  }

  #cost(task: AssignedTask, { processId }: AssignedMember): number {
    const known = this.#costs.get(task) ?? new Map<string, number>()
    this.#costs.set(task, known)
    const cost = known.get(processId) ?? this.#costOf(task, processId)
    known.set(processId, cost)
    return cost
  }

  #costOf(task: AssignedTask, processId: string): number {
    const { rackAwareAssignmentTrafficCost, rackAwareAssignmentNonOverlapCost } = this.#group.rules
    const traffic = trafficOf(task.changelogRacks, this.#group.rack(processId))
    const isNew = this.#group.hasState(processId, task.name) ? 0 : 1
    return rackAwareAssignmentTrafficCost * traffic + rackAwareAssignmentNonOverlapCost * isNew
  }

  byMember(): Map<string, string[]> {
    const byMember = new Map<string, string[]>()
    for (const [task, holders] of this.#holders) {
      for (const { id } of holders) byMember.set(id, [...(byMember.get(id) ?? []), task])
    }
    return byMember
  }
}

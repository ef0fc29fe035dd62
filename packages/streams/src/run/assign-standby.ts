/**
 * Who keeps copies of which task's state, beside the one that runs it.
 *
 * Never in the process that runs the task or warms up to run it, and no two in one process. Copies stand where tags differ from
 * the active one's and each other's in as many of the rack-aware tags as can be (KIP-708); then where they stand already, as
 * far as an even share allows; then where there is least to read, and least to do.
 */
import type { Targets } from "./assign-active.ts"
import { sortedBy } from "./assign-active.ts"
import type { AssignedMember, AssignedTask, Group } from "./assignment.ts"

/** Names of tasks by member id. */
export function assignStandbys(
  tasks: readonly AssignedTask[],
  group: Group,
  placed: { readonly active: Targets; readonly warming: Targets },
): Map<string, string[]> {
  const { standbyReplicas, rackAwareAssignmentTags: tags } = group.rules
  const standbys = new Map<string, string[]>()
  const count = ({ id }: AssignedMember) => standbys.get(id)?.length ?? 0
  const stateful = tasks.filter(({ isStateful }) => isStateful)
  const copies = Math.min(standbyReplicas, group.processes.size - 1)
  const share = Math.ceil((stateful.length * copies) / Math.max(1, group.members.length))
  const activeCounts = new Map<string, number>()
  for (const { id } of placed.active.values()) activeCounts.set(id, (activeCounts.get(id) ?? 0) + 1)
  for (const task of stateful) {
    const owner = placed.active.get(task.name)
    if (owner === undefined) continue
    const warming = placed.warming.get(task.name)
    const used = [owner]
    const excluded = new Set(warming === undefined ? [owner.processId] : [owner.processId, warming.processId])
    for (let copy = 0; copy < copies; copy++) {
      const candidates = group.members.filter(({ processId }) => !excluded.has(processId))
      const [chosen] = sortedBy(candidates, (member) => [
        conflicts(member, used, tags),
        group.isStanding(member, task.name) && count(member) < share ? 0 : 1,
        count(member) < share ? 0 : 1,
        group.lag(member.processId, task),
        count(member),
        activeCounts.get(member.id) ?? 0,
      ])
      if (chosen === undefined) break
      standbys.set(chosen.id, [...(standbys.get(chosen.id) ?? []), task.name])
      used.push(chosen)
      excluded.add(chosen.processId)
    }
  }
  return standbys
}

/** In how many tags the member stands where a copy is already. */
function conflicts(member: AssignedMember, used: readonly AssignedMember[], tags: readonly string[]): number {
  return tags.filter((tag) => used.some((other) => other.tags[tag] === member.tags[tag])).length
}

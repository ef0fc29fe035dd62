/**
 * From what each process is to have to what each of its worker threads has, and back. In a process tasks are dealt out as
 * between processes without an assignor of one's own: those with state evenly, then the others, who runs one keeps it.
 */
import { activeTargets, sortedBy } from "./assign-active.ts"
import { type AssignedMember, type AssignedTask, type Assignment, type AssignmentRules, Group } from "./assignment.ts"
import type { ProcessAssignment, TaskAssignment } from "./task-assignor.ts"

/** `given` names every process of the members, and no other. */
export function seatInProcesses(
  given: TaskAssignment,
  tasks: readonly AssignedTask[],
  members: readonly AssignedMember[],
  rules: AssignmentRules,
): Assignment {
  const active = new Map<string, string[]>()
  const standby = new Map<string, string[]>()
  const warmup = new Map<string, string[]>()
  for (const [processId, threads] of Map.groupBy(members, (member) => member.processId)) {
    const group = new Group(threads, rules)
    const mine = given.get(processId)!
    for (const { id } of group.members) for (const lists of [active, standby, warmup]) lists.set(id, [])
    const runs = new Set(mine.active)
    const targets = activeTargets(
      tasks.filter(({ name }) => runs.has(name)),
      group,
    )
    for (const [task, { id }] of targets) active.get(id)!.push(task)
    const copies = [...(mine.standby ?? []), ...(mine.warmup ?? [])]
    const isKept = (task: string) => group.members.some((member) => group.isStanding(member, task))
    for (const task of [...copies.filter(isKept), ...copies.filter((one) => !isKept(one))]) {
      const [chosen] = sortedBy(group.members, (member) => [
        group.isStanding(member, task) ? 0 : 1,
        standby.get(member.id)!.length,
        active.get(member.id)!.length,
      ])
      standby.get(chosen!.id)!.push(task)
      if (mine.warmup?.includes(task)) warmup.get(chosen!.id)!.push(task)
    }
  }
  return { active, standby, warmup }
}

/** What the threads of each process have together. */
export function ofProcesses(
  { active, standby, warmup }: Assignment,
  members: readonly AssignedMember[],
): Map<string, Required<ProcessAssignment>> {
  const processes = Map.groupBy(members, ({ processId }) => processId)
  return new Map(
    [...processes].map(([processId, threads]) => {
      const warming = threads.flatMap(({ id }) => warmup.get(id)!)
      const copies = threads.flatMap(({ id }) => standby.get(id)!)
      return [
        processId,
        {
          active: threads.flatMap(({ id }) => active.get(id)!),
          standby: copies.filter((task) => !warming.includes(task)),
          warmup: warming,
        },
      ]
    }),
  )
}

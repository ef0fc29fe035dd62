/** A new target for all members, in records that say what differs from the one before. */
import type { GroupOutcome } from "../requests.ts"
import type { ConfiguredTopology } from "./configured-topology.ts"
import type { StreamsGroup } from "./group.ts"
import type { StreamsMember } from "./member.ts"
import { assignTasks } from "./task-assignor.ts"
import { equalTasks, noTasks, type Tasks } from "./tasks.ts"

export interface NewTarget {
  readonly groupEpoch: number
  readonly members: readonly StreamsMember[]
  /** A member's target so far. */
  readonly targetOf: (memberId: string) => Tasks | undefined
  readonly configured: ConfiguredTopology
  readonly standbyReplicas: number
  readonly now: number
}

export function makeTarget(group: StreamsGroup, made: NewTarget, out: GroupOutcome): ReadonlyMap<string, Tasks> {
  const { groupEpoch, members, targetOf, configured, now } = made
  const { groupId } = group
  const isReady = configured.status === undefined
  const targets = isReady
    ? assignTasks(
        members.map(({ memberId, instanceId, processId }) => ({
          memberId,
          instanceId,
          processId,
          target: targetOf(memberId) ?? noTasks,
        })),
        configured,
        made.standbyReplicas,
      )
    : new Map(members.map(({ memberId }) => [memberId, noTasks]))
  for (const [memberId, value] of targets) {
    const old = targetOf(memberId)
    if (old === undefined || !equalTasks(old, value))
      out.records.push({ type: "streams-target", group: groupId, memberId, value })
  }
  out.records.push({ type: "streams-assignment", group: groupId, value: { epoch: groupEpoch, timestamp: now } })
  return targets
}

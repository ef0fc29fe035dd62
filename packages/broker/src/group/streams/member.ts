/**
 * A member of a streams group (KIP-1071): one stream thread of an application. A value: changes make a new one, and records
 * put it into the group.
 *
 * `assigned` is what it runs now. `pendingRevocation` is what it was told to give up and has not confirmed yet; nobody else
 * gets that before it does.
 *
 *     Stable           has its target
 *     UnrevokedTasks   must confirm that it gave tasks up
 *     UnreleasedTasks  is at the target's epoch, but waits for tasks that others still have
 */
import { JOIN_EPOCH } from "../member-place.ts"
import {
  allTasks,
  commonTasks,
  equalTasks,
  filteredTasks,
  haveCommon,
  isEmpty,
  missingTasks,
  noTasks,
  taskKey,
  type TaskRole,
  type Tasks,
} from "./tasks.ts"

export const streamsMemberStates = ["Stable", "UnrevokedTasks", "UnreleasedTasks"] as const
export type StreamsMemberState = (typeof streamsMemberStates)[number]

export interface KeyValue {
  readonly key: string
  readonly value: string
}

export interface StreamsMemberMetadata {
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  /** Of the topology that the member runs: behind the group's after an upgrade that it was not part of. */
  readonly topologyEpoch: number
  /** Threads of one process share its disk: a task is there in one role at most. */
  readonly processId: string
  /** Where its stores can be queried. */
  readonly userEndpoint: { readonly host: string; readonly port: number } | null
  /** In the order of their keys. */
  readonly clientTags: readonly KeyValue[]
}

export interface StreamsCurrent {
  readonly memberEpoch: number
  readonly previousMemberEpoch: number
  readonly state: StreamsMemberState
  readonly assigned: Tasks
  readonly pendingRevocation: Tasks
  /**
   * Of its active tasks, the epoch at which each was assigned (KIP-1251): a commit that names an epoch between that and now
   * speaks for the same owner.
   */
  readonly assignmentEpochs: ReadonlyMap<string, number>
}

export interface StreamsMember extends StreamsMemberMetadata, StreamsCurrent {
  readonly memberId: string
}

export const newStreamsCurrent: StreamsCurrent = {
  memberEpoch: JOIN_EPOCH,
  previousMemberEpoch: -1,
  state: "Stable",
  assigned: noTasks,
  pendingRevocation: noTasks,
  assignmentEpochs: new Map(),
}

export const newStreamsMember = (memberId: string): StreamsMember => ({
  ...newStreamsCurrent,
  memberId,
  instanceId: null,
  rackId: null,
  clientId: "",
  clientHost: "",
  rebalanceTimeoutMs: -1,
  topologyEpoch: -1,
  processId: "",
  userEndpoint: null,
  clientTags: [],
})

/** What to reconcile a member with. */
export interface StreamsGoal {
  readonly epoch: number
  readonly target: Tasks
  /** What the member says it has; null when it said nothing, so that the last report stands. */
  readonly owned: Tasks | null
  /** Whether a task cannot be given to the member in that role yet. */
  isHeld(role: TaskRole, subtopologyId: string, partition: number): boolean
}

/** The member one step nearer to the goal; the same object when there is no step to take. */
export function reconciled(member: StreamsMember, goal: StreamsGoal): StreamsMember {
  switch (member.state) {
    case "Stable":
      return member.memberEpoch === goal.epoch ? member : next(member, member.memberEpoch, goal)
    case "UnrevokedTasks":
      if (goal.owned === null || haveCommon(goal.owned, member.pendingRevocation)) return member
      return next(member, member.memberEpoch + 1, goal)
    case "UnreleasedTasks": {
      const stepped = next(member, member.memberEpoch, goal)
      const isSame =
        stepped.state === member.state &&
        stepped.memberEpoch === member.memberEpoch &&
        equalTasks(stepped.assigned, member.assigned)
      return isSame ? member : stepped
    }
  }
}

function next(member: StreamsMember, epoch: number, { epoch: goalEpoch, target, owned, isHeld }: StreamsGoal) {
  const keep = commonTasks(member.assigned, target)
  const revoke = missingTasks(member.assigned, target)
  // A member that says it has none of them need not be waited for.
  if (!isEmpty(revoke) && (owned === null || haveCommon(owned, revoke))) {
    return at(member, epoch, "UnrevokedTasks", keep, revoke)
  }
  let waits = false
  const free = filteredTasks(missingTasks(target, keep), (role, subtopologyId, partition) => {
    const held = isHeld(role, subtopologyId, partition)
    waits ||= held
    return !held
  })
  return at(member, goalEpoch, waits ? "UnreleasedTasks" : "Stable", allTasks(keep, free), noTasks)
}

function at(
  member: StreamsMember,
  memberEpoch: number,
  state: StreamsMemberState,
  assigned: Tasks,
  pendingRevocation: Tasks,
): StreamsMember {
  const assignmentEpochs = new Map<string, number>()
  for (const { active } of [assigned, pendingRevocation])
    for (const [subtopologyId, partitions] of active)
      for (const partition of partitions) {
        const key = taskKey(subtopologyId, partition)
        assignmentEpochs.set(key, member.assignmentEpochs.get(key) ?? memberEpoch)
      }
  return {
    ...member,
    memberEpoch,
    previousMemberEpoch: member.memberEpoch === memberEpoch ? member.previousMemberEpoch : member.memberEpoch,
    state,
    assigned,
    pendingRevocation,
    assignmentEpochs,
  }
}

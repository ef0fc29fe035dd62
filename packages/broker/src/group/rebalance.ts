/**
 * The rebalance of a classic group: gathering members, closing the join phase, handing out assignments.
 *
 *     prepareRebalance ──> (initial delay, or wait for known members) ──> completeJoin ──> everyone syncs ──> settle
 *
 * Soft state only, but for two moments that are written down: a generation whose leader has assigned it (sync.ts), and a
 * group that became empty. Nobody waits in two ways: a request that parks is answered exactly once, by the end of the
 * phase, by the member's removal, or by being replaced.
 */
import { invariant } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import type { ClassicGroup } from "./classic-group.ts"
import type { GroupCoordinatorConfig } from "./config.ts"
import { type Member, metadataOf, noAssignment } from "./member.ts"
import { type GroupOutcome, type GroupTimeout, timerKey } from "./requests.ts"
import { joinAnswer, joinRefusal, syncAnswer, syncRefusal } from "./responses.ts"
import { canRebalance } from "./state.ts"

export class Rebalance {
  readonly #config: GroupCoordinatorConfig
  readonly #group: ClassicGroup
  readonly #now: number
  readonly #out: GroupOutcome

  constructor(config: GroupCoordinatorConfig, group: ClassicGroup, now: number, out: GroupOutcome) {
    this.#config = config
    this.#group = group
    this.#now = now
    this.#out = out
  }

  /** Someone joined, left or changed: a new rebalance, or progress in the one under way. */
  startOrAdvance(): void {
    if (canRebalance(this.#group.state)) this.prepare()
    else this.advance()
  }

  /** Has everyone rejoin. Those who wait for an assignment hear of it at once, others at their next heartbeat. */
  prepare(): void {
    const group = this.#group
    if (group.state === "CompletingRebalance") this.#cancelAssignment()
    this.#endSyncPhase()
    const initial = group.state === "Empty"
    group.transitionTo("PreparingRebalance", this.#now)
    if (!initial) {
      if (group.hasAllJoined()) this.completeJoin()
      else this.#armJoin()
      return
    }
    const delayMs = this.#config["group.initial.rebalance.delay.ms"]
    const remainingMs = Math.max(group.rebalanceTimeoutMs() - delayMs, 0)
    group.setNewMemberAdded(false)
    this.#armInitialJoin(delayMs, remainingMs)
  }

  /** Closes the join phase once all are in; a first rebalance sits its delay out. */
  advance(): void {
    const group = this.#group
    if (group.state !== "PreparingRebalance" || group.previousState === "Empty") return
    if (group.hasAllJoined()) this.completeJoin()
  }

  /** The initial delay is over: newcomers extend it as far as the rebalance timeout allows (row 75). */
  initialDelayPassed({ delayMs, remainingMs }: GroupTimeout & { kind: "initial-join" }): void {
    const group = this.#group
    if (group.state !== "PreparingRebalance") return
    if (!group.newMemberAdded || remainingMs === 0) {
      this.completeJoin()
      return
    }
    group.setNewMemberAdded(false)
    const nextDelayMs = Math.min(this.#config["group.initial.rebalance.delay.ms"], remainingMs)
    this.#armInitialJoin(nextDelayMs, Math.max(remainingMs - delayMs, 0))
  }

  /** Ends the join phase with those who joined. Static members are given until their session ends. */
  completeJoin(): void {
    const group = this.#group
    if (group.state !== "PreparingRebalance") return
    this.#out.disarm(timerKey.join(group.groupId))
    for (const member of group.members.values()) {
      if (member.joining === undefined && member.groupInstanceId === null) this.forget(member)
    }
    if (group.members.size > 0 && !group.electJoinedLeader()) {
      // Only silent static members are left: wait for one of them, or for their sessions to end.
      this.#armJoin()
      return
    }
    const empty = group.members.size === 0
    group.nextGeneration(this.#now)
    if (empty) this.record()
    else this.#answerJoins()
  }

  /** Members that took part in the join but never synced are gone (row 77). */
  syncTimedOut(generation: number): void {
    const group = this.#group
    const waiting = group.state === "CompletingRebalance" || group.state === "Stable"
    if (!waiting || generation !== group.generation || group.pendingSync.size === 0) return
    for (const memberId of [...group.pendingSync.keys()]) {
      const member = group.members.get(memberId)
      if (member !== undefined) this.forget(member)
    }
    this.prepare()
  }

  /** The leader has assigned this generation: everyone gets their part once it is in the log. */
  settle(assignments: ReadonlyMap<string, Uint8Array>): void {
    const group = this.#group
    invariant(group.state === "CompletingRebalance", `group ${group.groupId}: an assignment in ${group.state}`)
    group.transitionTo("Stable", this.#now)
    for (const { memberId } of [...group.members.values()]) {
      const member = group.update(memberId, { assignment: assignments.get(memberId) ?? noAssignment })
      this.#answerSync(member, syncAnswer(group, member))
    }
    this.record()
  }

  synced(memberId: string): void {
    const group = this.#group
    if (group.pendingSync.delete(memberId) && group.pendingSync.size === 0) {
      this.#out.disarm(timerKey.sync(group.groupId))
    }
  }

  /** Removes a member and what it waits for; its client is told to join anew, if it still listens. */
  forget(member: Member): void {
    const { memberId, joining, syncing } = member
    if (joining !== undefined) this.#out.reply(joining, joinRefusal("", ErrorCode.UNKNOWN_MEMBER_ID))
    if (syncing !== undefined) this.#out.reply(syncing, syncRefusal(ErrorCode.UNKNOWN_MEMBER_ID))
    this.#group.remove(memberId)
    this.#out.disarm(timerKey.session(this.#group.groupId, memberId))
  }

  /** Answers what a replaced static member waits for (row 82). */
  fence(memberId: string): void {
    const member = this.#group.members.get(memberId)
    if (member?.joining !== undefined) {
      this.#out.reply(member.joining, joinRefusal(memberId, ErrorCode.FENCED_INSTANCE_ID))
    }
    if (member?.syncing !== undefined) this.#out.reply(member.syncing, syncRefusal(ErrorCode.FENCED_INSTANCE_ID))
    this.#out.disarm(timerKey.session(this.#group.groupId, memberId))
  }

  /** The group minus someone: who remains rebalances, or the join phase may be complete now. */
  memberGone(): void {
    const group = this.#group
    if (group.state === "Stable" || group.state === "CompletingRebalance") this.prepare()
    else if (group.state === "PreparingRebalance" && group.hasAllJoined()) this.completeJoin()
  }

  armSession(memberId: string, delayMs: number): void {
    const { groupId } = this.#group
    this.#out.arm(timerKey.session(groupId, memberId), delayMs, { kind: "session", groupId, memberId })
  }

  /** Writes the group down as it is. */
  record(): void {
    this.#out.records.push({ type: "group-metadata", group: this.#group.groupId, value: this.#group.metadata() })
  }

  #answerJoins(): void {
    const group = this.#group
    const everyone = membersForLeader(group)
    for (const { memberId, joining, sessionTimeoutMs } of [...group.members.values()]) {
      if (joining !== undefined) {
        this.#out.reply(joining, joinAnswer(group, memberId, memberId === group.leader ? everyone : []))
        group.update(memberId, { joining: undefined, isNew: false })
        this.armSession(memberId, sessionTimeoutMs)
      }
      group.pendingSync.set(memberId, true)
    }
    const { groupId, generation } = group
    this.#out.arm(timerKey.sync(groupId), group.rebalanceTimeoutMs(), { kind: "sync", groupId, generation })
  }

  #cancelAssignment(): void {
    for (const { memberId } of [...this.#group.members.values()]) {
      const member = this.#group.update(memberId, { assignment: noAssignment })
      this.#answerSync(member, syncRefusal(ErrorCode.REBALANCE_IN_PROGRESS))
    }
  }

  #answerSync(member: Member, response: ReturnType<typeof syncRefusal>): void {
    if (member.syncing === undefined) return
    this.#out.reply(member.syncing, response)
    this.#group.update(member.memberId, { syncing: undefined })
    // It may have run out while the member waited, where it does not count.
    this.armSession(member.memberId, member.sessionTimeoutMs)
  }

  #endSyncPhase(): void {
    this.#group.pendingSync.clear()
    this.#out.disarm(timerKey.sync(this.#group.groupId))
  }

  #armJoin(): void {
    const { groupId } = this.#group
    this.#out.arm(timerKey.join(groupId), this.#group.rebalanceTimeoutMs(), { kind: "join", groupId })
  }

  #armInitialJoin(delayMs: number, remainingMs: number): void {
    const { groupId } = this.#group
    this.#out.arm(timerKey.join(groupId), delayMs, { kind: "initial-join", groupId, delayMs, remainingMs })
  }
}

/** What the leader learns of every member: its metadata for the chosen protocol. */
export function membersForLeader(group: ClassicGroup) {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataOf(member, group.protocol ?? ""),
  }))
}

/**
 * One group of the classic protocol: its members and where it is in its rebalance.
 *
 * Invariants
 *  - every member shares the group's protocol type, and all have at least one protocol in common;
 *  - a static instance id belongs to one member;
 *  - the leader is a member, unless there are none; the log says null also of a group that has yet to choose one;
 *  - `persisted` is what the log says; the rest runs ahead of it during a rebalance and meets it in Stable and Empty.
 */
import { invariant } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { UndoCell, type UndoLog, UndoMap } from "../coordinator/undo.ts"
import { type Member, commonProtocols, metadataOf, selectProtocol } from "./member.ts"
import type { GroupMetadata } from "./records.ts"
import { type GroupState, nextStates } from "./state.ts"

interface Fields {
  readonly state: GroupState
  /** The state before the current one: a rebalance out of Empty waits for more members. */
  readonly previousState: GroupState
  /** When the state was entered; offsets of an empty group expire from here. -1 for a group without a record. */
  readonly stateTimestamp: number
  readonly generation: number
  readonly protocolType: string | null
  readonly protocol: string | null
  readonly leader: string | null
  /** Someone joined since the initial delay was last extended. */
  readonly newMemberAdded: boolean
}

export class ClassicGroup {
  readonly groupId: string
  /** In order of joining. */
  readonly members: UndoMap<string, Member>
  readonly #fields: UndoCell<Fields>
  readonly #persisted: UndoCell<GroupMetadata | null>
  readonly #staticMembers: UndoMap<string, string>
  /** Ids handed out with MEMBER_ID_REQUIRED whose owners have not come back yet. */
  readonly pendingMembers: UndoMap<string, true>
  /** Members of this generation that have not sent SyncGroup yet. */
  readonly pendingSync: UndoMap<string, true>

  constructor(groupId: string, undo: UndoLog) {
    this.groupId = groupId
    this.members = new UndoMap(undo)
    this.#staticMembers = new UndoMap(undo)
    this.pendingMembers = new UndoMap(undo)
    this.pendingSync = new UndoMap(undo)
    this.#persisted = new UndoCell<GroupMetadata | null>(undo, null)
    this.#fields = new UndoCell<Fields>(undo, {
      state: "Empty",
      previousState: "Empty",
      stateTimestamp: -1,
      generation: 0,
      protocolType: null,
      protocol: null,
      leader: null,
      newMemberAdded: false,
    })
  }

  get state(): GroupState {
    return this.#fields.get().state
  }
  get previousState(): GroupState {
    return this.#fields.get().previousState
  }
  get stateTimestamp(): number {
    return this.#fields.get().stateTimestamp
  }
  get generation(): number {
    return this.#fields.get().generation
  }
  get protocolType(): string | null {
    return this.#fields.get().protocolType
  }
  get protocol(): string | null {
    return this.#fields.get().protocol
  }
  get leader(): string | null {
    return this.#fields.get().leader
  }
  get newMemberAdded(): boolean {
    return this.#fields.get().newMemberAdded
  }
  get persisted(): GroupMetadata | null {
    return this.#persisted.get()
  }

  setNewMemberAdded(newMemberAdded: boolean): void {
    this.#set({ newMemberAdded })
  }

  /** As `replay` does, and a group that goes back to the classic protocol. */
  persist(metadata: GroupMetadata | null): void {
    this.#persisted.set(metadata)
  }

  transitionTo(state: GroupState, now: number): void {
    const previousState = this.state
    invariant(
      nextStates[previousState].includes(state),
      `group ${this.groupId}: ${previousState} cannot become ${state}`,
    )
    this.#set({ state, previousState, stateTimestamp: now })
  }

  /** Starts the next generation with those who are here. */
  nextGeneration(now: number): void {
    const members = [...this.members.values()]
    const protocol = selectProtocol(members) ?? null
    invariant(members.length === 0 || protocol !== null, `group ${this.groupId}: no protocol that all members know`)
    this.#set({ generation: this.generation + 1, protocol })
    this.pendingSync.clear()
    this.transitionTo(members.length === 0 ? "Empty" : "CompletingRebalance", now)
  }

  add(member: Member, protocolType: string): void {
    if (member.groupInstanceId !== null) {
      invariant(!this.#staticMembers.has(member.groupInstanceId), `group ${this.groupId}: instance id taken`)
      this.#staticMembers.set(member.groupInstanceId, member.memberId)
    }
    if (this.members.size === 0) this.#set({ protocolType })
    if (this.leader === null) this.#set({ leader: member.memberId })
    this.members.set(member.memberId, member)
    this.pendingMembers.delete(member.memberId)
  }

  update(memberId: string, change: Partial<Omit<Member, "memberId" | "groupInstanceId">>): Member {
    const member = this.members.get(memberId)
    invariant(member !== undefined, `group ${this.groupId}: no member ${memberId}`)
    const updated = { ...member, ...change }
    this.members.set(memberId, updated)
    return updated
  }

  /** Forgets a member, or an id that was handed out. The caller has answered its requests. */
  remove(memberId: string): void {
    const member = this.members.get(memberId)
    this.members.delete(memberId)
    this.pendingMembers.delete(memberId)
    this.pendingSync.delete(memberId)
    if (member?.groupInstanceId != null) this.#staticMembers.delete(member.groupInstanceId)
    if (this.leader === memberId) this.#set({ leader: this.members.keys().next().value ?? null })
  }

  /** A static member came back under a new id: it takes the place of the old one (row 82). */
  replaceStatic(oldMemberId: string, newMemberId: string): Member {
    const old = this.members.get(oldMemberId)
    invariant(old !== undefined && old.groupInstanceId !== null, `group ${this.groupId}: ${oldMemberId} is not static`)
    const member: Member = { ...old, memberId: newMemberId, isNew: false, joining: undefined, syncing: undefined }
    this.members.delete(oldMemberId)
    this.pendingSync.delete(oldMemberId)
    this.members.set(newMemberId, member)
    this.#staticMembers.set(old.groupInstanceId, newMemberId)
    if (this.leader === oldMemberId) this.#set({ leader: newMemberId })
    return member
  }

  staticMemberId(groupInstanceId: string): string | undefined {
    return this.#staticMembers.get(groupInstanceId)
  }

  /** Makes a joined member the leader when the current one has not joined; false when nobody has. */
  electJoinedLeader(): boolean {
    const leader = this.leader === null ? undefined : this.members.get(this.leader)
    if (leader === undefined) return false
    if (leader.joining !== undefined) return true
    for (const member of this.members.values()) {
      if (member.joining === undefined) continue
      this.#set({ leader: member.memberId })
      return true
    }
    return false
  }

  hasAllJoined(): boolean {
    if (this.pendingMembers.size > 0) return false
    for (const member of this.members.values()) if (member.joining === undefined) return false
    return true
  }

  joiningCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.joining !== undefined) count++
    return count
  }

  /** A rebalance waits as long as its most patient member. */
  rebalanceTimeoutMs(): number {
    let timeoutMs = 0
    for (const member of this.members.values()) timeoutMs = Math.max(timeoutMs, member.rebalanceTimeoutMs)
    return timeoutMs
  }

  /** Whether a member with these protocols could be part of the group (row 84). */
  supports(protocolType: string, protocols: readonly string[]): boolean {
    if (this.state === "Empty") return protocolType !== "" && protocols.length > 0
    if (this.protocolType !== protocolType) return false
    const members = [...this.members.values()]
    if (members.length === 0) return protocols.length > 0
    const common = new Set(commonProtocols(members))
    return protocols.some((name) => common.has(name))
  }

  /** Whether a request speaks for a member: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, or NONE. */
  validateMember(memberId: string, groupInstanceId: string | null): ErrorCode {
    if (groupInstanceId !== null) {
      const owner = this.#staticMembers.get(groupInstanceId)
      if (owner === undefined) return ErrorCode.UNKNOWN_MEMBER_ID
      if (owner !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  /** What the log is to say about the group as it is now. */
  metadata(): GroupMetadata {
    const protocol = this.protocol
    return {
      protocolType: this.protocolType ?? "",
      generation: this.generation,
      protocol,
      leader: this.leader,
      currentStateTimestamp: this.stateTimestamp,
      members: [...this.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: metadataOf(member, protocol ?? ""),
        assignment: member.assignment,
      })),
    }
  }

  /** Whether the log says of a generation with members that its leader has not assigned it: see downgrade in migration.ts. */
  get isUnsettled(): boolean {
    const { persisted } = this
    return persisted !== null && persisted.leader === null && persisted.members.length > 0
  }

  /** Becomes what the log says: Stable with members, or Empty without. Members of one that is unsettled have to rejoin. */
  restore(): void {
    const metadata = this.persisted
    if (metadata === null) return
    for (const stored of metadata.members) {
      if (stored.groupInstanceId !== null) this.#staticMembers.set(stored.groupInstanceId, stored.memberId)
      this.members.set(stored.memberId, {
        memberId: stored.memberId,
        groupInstanceId: stored.groupInstanceId,
        clientId: stored.clientId,
        clientHost: stored.clientHost,
        rebalanceTimeoutMs: stored.rebalanceTimeout,
        sessionTimeoutMs: stored.sessionTimeout,
        protocols: [{ name: metadata.protocol ?? "", metadata: stored.subscription }],
        assignment: stored.assignment,
        isNew: false,
        joining: undefined,
        syncing: undefined,
      })
    }
    this.#set({
      state: metadata.members.length > 0 ? "Stable" : "Empty",
      stateTimestamp: metadata.currentStateTimestamp,
      generation: metadata.generation,
      protocolType: metadata.protocolType === "" ? null : metadata.protocolType,
      protocol: metadata.protocol,
      leader: metadata.leader ?? metadata.members[0]?.memberId ?? null,
    })
  }

  #set(change: Partial<Fields>): void {
    this.#fields.set({ ...this.#fields.get(), ...change })
  }
}

/**
 * A consumer group as its records say (KIP-848): epochs, members, and the target that the members are brought to.
 *
 *     groupEpoch       grows with everything that asks for another assignment: members, subscriptions, topics
 *     assignmentEpoch  the group epoch that the target was made for
 *     memberEpoch      the target that a member has reached
 *
 * Everything here but `checkedVersion` and `rejoining` is durable and changes by replay alone.
 */
import { type UndoLog, UndoCell, UndoMap } from "../../coordinator/undo.ts"
import type { ConsumerMember } from "./member.ts"
import { has, type Partitions } from "./partitions.ts"

/** As ListGroups and ConsumerGroupDescribe name them. */
export type ConsumerGroupState = "Empty" | "Assigning" | "Reconciling" | "Stable"

/** The topics that a regular expression stands for. */
export interface ResolvedRegex {
  readonly topics: readonly string[]
  /** The version of the topics when it was resolved. */
  readonly version: number
  readonly timestamp: number
}

export class ConsumerGroup {
  readonly groupId: string
  readonly #epoch: UndoCell<{ readonly groupEpoch: number; readonly metadataHash: number } | null>
  readonly #assignmentEpoch: UndoCell<number>
  readonly #checkedVersion: UndoCell<number>
  readonly members: UndoMap<string, ConsumerMember>
  readonly targets: UndoMap<string, Partitions>
  readonly regexes: UndoMap<string, ResolvedRegex>
  /** Members of the classic protocol that were told to rejoin, and have not yet. */
  readonly rejoining: UndoMap<string, true>

  constructor(groupId: string, undo: UndoLog) {
    this.groupId = groupId
    this.#epoch = new UndoCell<{ groupEpoch: number; metadataHash: number } | null>(undo, null)
    this.#assignmentEpoch = new UndoCell(undo, 0)
    this.#checkedVersion = new UndoCell(undo, -1)
    this.members = new UndoMap(undo)
    this.targets = new UndoMap(undo)
    this.regexes = new UndoMap(undo)
    this.rejoining = new UndoMap(undo)
  }

  /** False while only records of members were replayed: a compacted log may hold them first. */
  get isKept(): boolean {
    return this.#epoch.get() !== null
  }
  get groupEpoch(): number {
    return this.#epoch.get()?.groupEpoch ?? 0
  }
  get metadataHash(): number {
    return this.#epoch.get()?.metadataHash ?? 0
  }
  get assignmentEpoch(): number {
    return this.#assignmentEpoch.get()
  }

  /** The version of the topics that the group's epoch takes into account. Soft: after a load they are looked at anew. */
  get checkedVersion(): number {
    return this.#checkedVersion.get()
  }
  set checkedVersion(version: number) {
    this.#checkedVersion.set(version)
  }

  get state(): ConsumerGroupState {
    if (this.members.size === 0) return "Empty"
    if (this.groupEpoch > this.assignmentEpoch) return "Assigning"
    for (const { state, memberEpoch } of this.members.values())
      if (state !== "Stable" || memberEpoch !== this.assignmentEpoch) return "Reconciling"
    return "Stable"
  }

  /** Somebody has the partition, or has yet to give it up. */
  isOwned(topicId: string, partition: number): boolean {
    for (const { assigned, pendingRevocation } of this.members.values())
      if (has(assigned, topicId, partition) || has(pendingRevocation, topicId, partition)) return true
    return false
  }

  /** The names that a member reads: those it gave and those that its expression stands for. */
  topicNamesOf(member: ConsumerMember): ReadonlySet<string> {
    const resolved = member.topicRegex === null ? [] : (this.regexes.get(member.topicRegex)?.topics ?? [])
    return new Set([...member.topicNames, ...resolved])
  }

  isSubscribed(topic: string): boolean {
    for (const member of this.members.values()) if (this.topicNamesOf(member).has(topic)) return true
    return false
  }

  replayEpoch(groupEpoch: number, metadataHash: number): void {
    this.#epoch.set({ groupEpoch, metadataHash })
  }

  replayAssignmentEpoch(epoch: number): void {
    this.#assignmentEpoch.set(epoch)
  }

  replayMember(memberId: string, fields: Partial<ConsumerMember>, otherwise: ConsumerMember): void {
    this.members.set(memberId, { ...(this.members.get(memberId) ?? otherwise), ...fields, memberId })
  }
}

/**
 * A streams group as its records say (KIP-1071): epochs, topology, members, and the target that the members are brought to.
 *
 *     groupEpoch       grows with everything that asks for another assignment: members, topology, topics, settings
 *     assignmentEpoch  the group epoch that the target was made for
 *     memberEpoch      the target that a member has reached
 *
 * What `soft` says is of this coordinator alone: it is gone after a restart, and found out anew.
 */
import { type UndoLog, UndoCell, UndoMap } from "../../coordinator/undo.ts"
import { has } from "../consumer/partitions.ts"
import type { ConfiguredTopology } from "./configured-topology.ts"
import type { KeyValue, StreamsMember } from "./member.ts"
import { type TaskRole, type Tasks } from "./tasks.ts"
import { readerOf, type Topology } from "./topology.ts"

/** As ListGroups and StreamsGroupDescribe name them. */
export type StreamsGroupState = "Empty" | "NotReady" | "Assigning" | "Reconciling" | "Stable"

export interface StreamsGroupMetadata {
  readonly groupEpoch: number
  readonly metadataHash: number
  /** The topology whose topics are all there; -1 while some are not. */
  readonly validatedTopologyEpoch: number
  /** The settings that the last target was made with. */
  readonly assignmentConfigs: readonly KeyValue[]
}

/** What a member reports of the changelogs it restores. */
export interface TaskOffset {
  readonly subtopologyId: string
  readonly partition: number
  readonly offset: number
}

export interface TaskOffsets {
  readonly taskOffsets: readonly TaskOffset[]
  readonly taskEndOffsets: readonly TaskOffset[]
}

interface Soft {
  readonly configured: ConfiguredTopology | undefined
  /** The version of the topics that `configured` is about. */
  readonly checkedVersion: number
  /** The first members of the group are waited for before tasks are given out. */
  readonly isDelayed: boolean
  /** Who asked that the application stops. */
  readonly shutdownBy: string | null
  /** Grows when endpoints, or what can be queried there, change. */
  readonly endpointEpoch: number
}

const newMetadata: StreamsGroupMetadata = {
  groupEpoch: 1,
  metadataHash: 0,
  validatedTopologyEpoch: -1,
  assignmentConfigs: [],
}
const initialAssignmentEpoch = 1

export class StreamsGroup {
  readonly groupId: string
  readonly #metadata: UndoCell<StreamsGroupMetadata | null>
  readonly #topology: UndoCell<Topology | null>
  readonly #assignmentEpoch: UndoCell<number>
  readonly #soft: UndoCell<Soft>
  readonly members: UndoMap<string, StreamsMember>
  readonly targets: UndoMap<string, Tasks>
  /** Soft, too: by member id. */
  readonly taskOffsets: UndoMap<string, TaskOffsets>

  constructor(groupId: string, undo: UndoLog) {
    this.groupId = groupId
    this.#metadata = new UndoCell<StreamsGroupMetadata | null>(undo, null)
    this.#topology = new UndoCell<Topology | null>(undo, null)
    this.#assignmentEpoch = new UndoCell(undo, initialAssignmentEpoch)
    this.#soft = new UndoCell<Soft>(undo, {
      configured: undefined,
      checkedVersion: -1,
      isDelayed: false,
      shutdownBy: null,
      endpointEpoch: 0,
    })
    this.members = new UndoMap(undo)
    this.targets = new UndoMap(undo)
    this.taskOffsets = new UndoMap(undo)
  }

  /** False while only records of members were replayed: a compacted log may hold them first. */
  get isKept(): boolean {
    return this.#metadata.get() !== null
  }
  get metadata(): StreamsGroupMetadata {
    return this.#metadata.get() ?? newMetadata
  }
  get groupEpoch(): number {
    return this.metadata.groupEpoch
  }
  get assignmentEpoch(): number {
    return this.#assignmentEpoch.get()
  }
  get topology(): Topology | null {
    return this.#topology.get()
  }
  get soft(): Soft {
    return this.#soft.get()
  }
  soften(change: Partial<Soft>): void {
    this.#soft.set({ ...this.soft, ...change })
  }

  get state(): StreamsGroupState {
    if (this.members.size === 0) return "Empty"
    if (this.topology === null || this.topology.epoch !== this.metadata.validatedTopologyEpoch) return "NotReady"
    if (this.groupEpoch > this.assignmentEpoch) return "Assigning"
    for (const { state, memberEpoch } of this.members.values())
      if (state !== "Stable" || memberEpoch !== this.assignmentEpoch) return "Reconciling"
    return "Stable"
  }

  /**
   * Whether a process cannot have a task in a role yet. An active task waits for the active one of anybody; and no process
   * has a task twice.
   */
  isHeld(processId: string, role: TaskRole, subtopologyId: string, partition: number): boolean {
    for (const member of this.members.values()) {
      for (const { active, standby, warmup } of [member.assigned, member.pendingRevocation]) {
        if (role === "active" && has(active, subtopologyId, partition)) return true
        if (member.processId !== processId) continue
        if ([active, standby, warmup].some((tasks) => has(tasks, subtopologyId, partition))) return true
      }
    }
    return false
  }

  isSubscribed(topic: string): boolean {
    return this.members.size > 0 && this.topology !== null && readerOf(this.topology, topic) !== undefined
  }

  replayMetadata(metadata: StreamsGroupMetadata): void {
    this.#metadata.set(metadata)
  }

  replayTopology(topology: Topology | null): void {
    this.#topology.set(topology)
  }

  replayAssignmentEpoch(epoch: number | null): void {
    this.#assignmentEpoch.set(epoch ?? initialAssignmentEpoch)
  }

  replayMember(memberId: string, fields: Partial<StreamsMember>, otherwise: StreamsMember): void {
    this.members.set(memberId, { ...(this.members.get(memberId) ?? otherwise), ...fields, memberId })
  }
}

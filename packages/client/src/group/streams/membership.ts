/**
 * One member of a streams group (KIP-1071), as a state machine: answers to its heartbeats go in, what to do next comes out.
 * Pure: the shell sends, waits and calls back.
 *
 *     joining   no epoch yet; the next heartbeat brings the topology and takes tasks from nobody
 *     joined    has an epoch, and tasks: `told` are those that the coordinator gave it, `owned` those that it has taken
 *     out       the group goes on without it; what it owns is others', and is let go before it joins again
 *
 * `owned` follows `told` in two steps, as the user polls: what is not told any more is given up, then the rest is taken.
 * Every change is reported, since others wait for what is given up.
 *
 * Invariants: nobody else has an active task that is owned here, until a report without it is sent. Hence
 * - while a report has no answer, nothing new is taken: a coordinator that reads in it that a task is not owned here may give
 *   it to another member at once;
 * - the epoch that offsets are committed with is one that the member was told, and never -1, with which anybody may commit
 *   to a group without members. One that is out commits with its last one, and is refused.
 *
 * The tasks are told only when they change. After an answer that was lost the next one may be silent of them: they have to
 * be looked up.
 */
import { ErrorCode, KafkaError } from "@millrace/protocol"
import type { StreamsGroupHeartbeatResponse } from "@millrace/protocol/messages/streams-group-heartbeat"
import type { StreamsGroupStatus } from "@millrace/protocol/streams-status"
import { isHindering } from "./status.ts"
import { commonTasks, equalTasks, NO_TASKS, type StreamsTaskId, type StreamsTasks, tasksOf, without } from "./tasks.ts"

/** What the shell does next. */
export type StreamsStep =
  | "done"
  /** The same again after a backoff. */
  | "backoff"
  /** Look the coordinator up again, then the same. */
  | "coordinator"
  /** Look up which tasks the coordinator has given the member. */
  | "look-up"
  /** The member is out: `poll` lets its tasks go, then it joins again. */
  | "out"
  | "fatal"

/** A heartbeat that leaves. */
export interface StreamsBeat {
  readonly memberEpoch: number
  readonly isJoining: boolean
  /** What the member owns; null says nothing of it. */
  readonly reported: StreamsTasks | null
  /** Answers to heartbeats of an earlier membership change nothing. */
  readonly incarnation: number
}

/** What there is to do about tasks. */
export type StreamsChange =
  | { readonly what: "give-up"; readonly tasks: readonly StreamsTaskId[] }
  | { readonly what: "take"; readonly added: readonly StreamsTaskId[]; readonly tasks: StreamsTasks }

export const LEAVE_EPOCH = -1
/** A static member's, which will be back. */
export const STATIC_LEAVE_EPOCH = -2
const JOIN_EPOCH = 0

type Answer = Pick<
  StreamsGroupHeartbeatResponse,
  "errorCode" | "errorMessage" | "memberEpoch" | "status" | "activeTasks" | "standbyTasks" | "warmupTasks"
>

export class StreamsMembership {
  readonly groupId: string
  #memberId: string
  #phase: "joining" | "joined" | "out" = "joining"
  #incarnation = 0
  #epoch = JOIN_EPOCH
  /** The last epoch that it was told: what it commits with. */
  #generation = -1
  #owned: StreamsTasks = NO_TASKS
  #told: StreamsTasks = NO_TASKS
  /** Since it joined it has taken what it was told, if it was nothing. */
  #hasTaken = false
  #isHindered = false
  #mustReport = false
  #isReportOpen = false
  #isUnsure = false
  #fatal: Error | undefined

  constructor(groupId: string, memberId: string) {
    this.groupId = groupId
    this.#memberId = memberId
  }

  get memberId(): string {
    return this.#memberId
  }
  get generation(): number {
    return this.#generation
  }
  get isJoining(): boolean {
    return this.#phase === "joining"
  }
  get isJoined(): boolean {
    return this.#phase === "joined"
  }
  get isOut(): boolean {
    return this.#phase === "out"
  }
  /** The group cannot hand tasks out. */
  get isHindered(): boolean {
    return this.#isHindered
  }
  get owned(): StreamsTasks {
    return this.#owned
  }
  get fatal(): Error | undefined {
    return this.#fatal
  }
  /** A report is due. */
  get mustReport(): boolean {
    return this.#mustReport && this.isJoined
  }
  /** It has an assignment, and nothing to do about it. */
  get isSettled(): boolean {
    return this.isJoined && this.#hasTaken && this.#fatal === undefined && this.change() === undefined
  }

  beat(): StreamsBeat {
    const incarnation = this.#incarnation
    if (this.isJoining) return { memberEpoch: JOIN_EPOCH, isJoining: true, reported: NO_TASKS, incarnation }
    const reported = this.#mustReport || this.#isUnsure ? this.#owned : null
    this.#mustReport = false
    this.#isReportOpen ||= reported !== null
    return { memberEpoch: this.#epoch, isJoining: false, reported, incarnation }
  }

  onAnswer(beat: StreamsBeat, answer: Answer): StreamsStep {
    if (beat.incarnation !== this.#incarnation || this.isOut) return "done"
    if (answer.errorCode !== ErrorCode.NONE) return this.#onError(beat, answer.errorCode, answer.errorMessage)
    this.#phase = "joined"
    this.#epoch = answer.memberEpoch
    this.#generation = answer.memberEpoch
    this.#isHindered = (answer.status ?? []).some((status: StreamsGroupStatus) => isHindering(status))
    if (beat.reported !== null) this.#isReportOpen = false
    const told = tasksOf(answer)
    if (told === undefined) return this.#isUnsure ? "look-up" : "done"
    this.#isUnsure = false
    this.#told = told
    return "done"
  }

  /** No answer: the coordinator may have read what was reported, and given tasks that nobody here was told. */
  onSilence(beat: StreamsBeat): void {
    if (beat.incarnation === this.#incarnation && this.isJoined) this.#isUnsure = true
  }

  /** What the coordinator says it has given the member; undefined when it does not know the member. */
  onLookedUp(
    beat: StreamsBeat,
    found: { readonly memberEpoch: number; readonly tasks: StreamsTasks } | undefined,
  ): void {
    if (beat.incarnation !== this.#incarnation || found?.memberEpoch !== this.#epoch) return
    this.#isUnsure = false
    this.#told = found.tasks
  }

  #onError(beat: StreamsBeat, code: number, text: string | null): StreamsStep {
    switch (code) {
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.FENCED_MEMBER_EPOCH:
        return this.#leave()
      case ErrorCode.GROUP_ID_NOT_FOUND:
        // Of a member that is in it: the coordinator has lost the group.
        return beat.isJoining ? this.#fail(code, text) : this.#leave()
      case ErrorCode.NOT_COORDINATOR:
      case ErrorCode.COORDINATOR_NOT_AVAILABLE:
        this.onSilence(beat)
        return "coordinator"
      default:
        if (!new KafkaError(code).retriable) return this.#fail(code, text)
        this.onSilence(beat)
        return "backoff"
    }
  }

  #leave(): StreamsStep {
    this.#phase = "out"
    return "out"
  }

  #fail(code: number, text: string | null): StreamsStep {
    this.failed(new KafkaError(code, `group ${this.groupId}: ${text || new KafkaError(code).message}`))
    return "fatal"
  }

  /** What only the caller can mend: the member is none any more. */
  failed(error: Error): void {
    this.#fatal ??= error
    if (this.isJoined) this.#phase = "out"
  }

  /** It leaves, by its own will or because its user stopped polling. */
  left(): void {
    this.#phase = "out"
  }

  /** All that it owned is let go: it may join again, as another member perhaps. */
  released(memberId = this.#memberId): void {
    this.#memberId = memberId
    this.#phase = "joining"
    this.#incarnation++
    this.#epoch = JOIN_EPOCH
    this.#owned = NO_TASKS
    this.#told = NO_TASKS
    this.#hasTaken = false
    this.#mustReport = false
    this.#isReportOpen = false
    this.#isUnsure = false
  }

  /** The next thing to do about tasks, if there is one that can be done now. */
  change(): StreamsChange | undefined {
    if (!this.isJoined) return undefined
    const gone = without(this.#owned.active, this.#told.active)
    if (gone.length > 0) return { what: "give-up", tasks: gone }
    if (this.#hasTaken ? equalTasks(this.#owned, this.#told) : this.#isHindered) return undefined
    const isOpen = this.#isReportOpen || this.#isUnsure
    const tasks = isOpen ? commonTasks(this.#owned, this.#told) : this.#told
    if (isOpen && equalTasks(tasks, this.#owned)) return undefined
    return { what: "take", added: without(tasks.active, this.#owned.active), tasks }
  }

  gaveUp(tasks: readonly StreamsTaskId[]): void {
    this.#owned = { ...this.#owned, active: without(this.#owned.active, tasks) }
    this.#mustReport = true
  }

  took(tasks: StreamsTasks): void {
    if (!equalTasks(this.#owned, tasks)) this.#mustReport = true
    this.#owned = tasks
    this.#hasTaken = true
  }
}

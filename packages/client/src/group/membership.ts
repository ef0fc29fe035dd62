/**
 * One member of a classic consumer group, as a state machine: the coordinator's codes go in, what to do next comes out.
 * Pure: the shell sends, waits and calls back.
 *
 * Invariants: a partition is ours only while our generation is the group's; an answer to an older generation changes
 * nothing; whatever ended our generation behind our back makes the partitions `lost` before we join again.
 */
import { ErrorCode, KafkaError } from "@millrace/protocol"

/** What the shell does next. */
export type MembershipStep =
  | "done"
  /** The same again, at once. */
  | "again"
  /** The same again after a backoff. */
  | "backoff"
  /** Look the coordinator up again, then the same. */
  | "coordinator"
  /** A JoinGroup is needed; `poll` starts it. */
  | "rejoin"
  | "fatal"

/** What only the caller can mend. */
const FATAL: ReadonlySet<number> = new Set([
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.INCONSISTENT_GROUP_PROTOCOL,
  ErrorCode.INVALID_SESSION_TIMEOUT,
  ErrorCode.INVALID_GROUP_ID,
  ErrorCode.GROUP_AUTHORIZATION_FAILED,
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.GROUP_MAX_SIZE_REACHED,
  ErrorCode.UNSUPPORTED_VERSION,
])

export class Membership {
  readonly groupId: string
  #memberId = ""
  #generation = -1
  #rejoin: string | undefined = "the consumer subscribed"
  #lost = false
  #fatal: KafkaError | undefined
  #joined = false
  /** The connection on which the coordinator last knew the member by its id: another may lead to its successor. */
  #knownOn: unknown

  constructor(groupId: string) {
    this.groupId = groupId
  }

  get memberId(): string {
    return this.#memberId
  }
  get generation(): number {
    return this.#generation
  }
  /** The member has a generation and heartbeats keep it. */
  get isJoined(): boolean {
    return this.#joined
  }
  /** Why a JoinGroup is due; undefined when none is. */
  get rejoinReason(): string | undefined {
    return this.#rejoin
  }
  get fatal(): KafkaError | undefined {
    return this.#fatal
  }

  requestRejoin(reason: string): void {
    this.#rejoin ??= reason
  }

  /** The partitions were lost, and nobody has been told. */
  get isLost(): boolean {
    return this.#lost
  }

  /** True once after the partitions were lost. */
  takeLost(): boolean {
    const lost = this.#lost
    this.#lost = false
    return lost
  }

  /** A JoinGroup goes out: reasons from now on ask for another one. */
  joining(): void {
    this.#rejoin = undefined
  }

  /** The answer that came on this connection to a JoinGroup that was sent with `sentAs` for its member id. */
  onJoin(
    answer: { errorCode: number; memberId: string; generationId: number },
    connection: unknown,
    sentAs = this.#memberId,
  ): MembershipStep {
    switch (answer.errorCode) {
      case ErrorCode.NONE:
        this.#memberId = answer.memberId
        this.#generation = answer.generationId
        this.#joined = true
        this.#knownOn = connection
        return "done"
      case ErrorCode.MEMBER_ID_REQUIRED:
        this.#memberId = answer.memberId
        return "again"
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.ILLEGAL_GENERATION:
        // The group went on without this member, and others have its partitions.
        this.#forget(answer.errorCode === ErrorCode.UNKNOWN_MEMBER_ID)
        this.#lost = true
        return "again"
      case ErrorCode.REBALANCE_IN_PROGRESS:
        return "backoff"
      case ErrorCode.FENCED_INSTANCE_ID:
        return sentAs === this.#memberId ? this.#fenced(connection) : "again"
      default:
        return this.#other(answer.errorCode)
    }
  }

  onSync(code: number, connection: unknown): MembershipStep {
    switch (code) {
      case ErrorCode.NONE:
        this.#knownOn = connection
        return "done"
      case ErrorCode.FENCED_INSTANCE_ID:
        return this.#fenced(connection)
      case ErrorCode.REBALANCE_IN_PROGRESS:
        this.requestRejoin("the group began another rebalance while this one was finishing")
        return "rejoin"
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.ILLEGAL_GENERATION:
        this.#drop(code, "the group moved on before this member got its assignment")
        return "rejoin"
      default: {
        const step = this.#other(code)
        if (step !== "fatal") this.requestRejoin("the assignment could not be fetched")
        return step
      }
    }
  }

  /** The answer to an offset commit that was sent in `generation`. */
  onCommit(code: number, generation: number): MembershipStep {
    if (code !== ErrorCode.FENCED_INSTANCE_ID) return this.onHeartbeat(code, generation, this.#knownOn)
    // It went another way: what the next JoinGroup is answered decides.
    if (generation === this.#generation)
      this.#drop(ErrorCode.ILLEGAL_GENERATION, "another member seems to have taken this one's place")
    return "rejoin"
  }

  /** The answer that came on this connection to a heartbeat that was sent in `generation`. */
  onHeartbeat(code: number, generation: number, connection: unknown): MembershipStep {
    if (generation !== this.#generation) return "done"
    switch (code) {
      case ErrorCode.NONE:
        this.#knownOn = connection
        return "done"
      case ErrorCode.REBALANCE_IN_PROGRESS:
        this.#knownOn = connection
        this.requestRejoin("the group is rebalancing")
        return "rejoin"
      case ErrorCode.UNKNOWN_MEMBER_ID:
      case ErrorCode.ILLEGAL_GENERATION:
        this.#drop(code, "the group removed this member or moved on without it")
        return "rejoin"
      case ErrorCode.FENCED_INSTANCE_ID:
        return this.#fenced(connection) === "again" ? "rejoin" : "fatal"
      default:
        return this.#other(code)
    }
  }

  /** The member leaves, by its own will or because its user stopped polling. */
  left(reason: string): void {
    this.#forget(true)
    this.#lost = true
    this.requestRejoin(reason)
  }

  #drop(code: number, reason: string): void {
    this.#forget(code === ErrorCode.UNKNOWN_MEMBER_ID)
    this.#lost = true
    this.requestRejoin(reason)
  }

  #forget(memberToo: boolean): void {
    if (memberToo) this.#memberId = ""
    this.#generation = -1
    this.#joined = false
  }

  /**
   * Another member has the instance id (KIP-345). Mostly a newer process, which is fatal: the coordinator that says so has known
   * this one. But one that died before it wrote the group down left its successor with the member that this one had replaced:
   * then it does so again.
   */
  #fenced(connection: unknown): MembershipStep {
    if (this.#knownOn === connection || this.#memberId === "") return this.#other(ErrorCode.FENCED_INSTANCE_ID)
    this.#drop(ErrorCode.UNKNOWN_MEMBER_ID, "the coordinator has forgotten this member's id")
    return "again"
  }

  #other(code: number): MembershipStep {
    if (code === ErrorCode.NOT_COORDINATOR || code === ErrorCode.COORDINATOR_NOT_AVAILABLE) return "coordinator"
    const error = new KafkaError(code)
    if (!FATAL.has(code) && error.retriable) return "backoff"
    this.#fatal = new KafkaError(code, `group ${this.groupId}: ${error.message}`)
    if (code === ErrorCode.FENCED_INSTANCE_ID) {
      this.#forget(false)
      this.#lost = true
    }
    return "fatal"
  }
}

/**
 * Runs a member of a streams group (KIP-1071): heartbeats, what they tell, leaving.
 *
 * Tasks change only inside `advance`, which `poll` calls: `onRevoked` is awaited, then what is left is reported, then new
 * tasks are taken, and `onAssigned` is awaited. Tasks that stay are never touched, and nothing waits for other members.
 * Heartbeats run by timer all the while, one at a time, as often as the broker asks or `heartbeatIntervalMs`, whichever is
 * sooner; at once when there is something to report.
 */
import { invariant, type Timer } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import {
  StreamsGroupHeartbeat,
  type StreamsGroupHeartbeatResponse,
} from "@millrace/protocol/messages/streams-group-heartbeat"
import { describeStreamsGroup } from "../../admin/streams-groups.ts"
import { type Cluster, CoordinatorType } from "../../cluster.ts"
import { isRetriableError } from "../../errors.ts"
import { backoffDelay } from "../../network/backoff.ts"
import type { GroupMetadata } from "../../producer/transactions.ts"
import { Signal } from "../../signal.ts"
import type { TopicPartition } from "../assignor.ts"
import type { Member, MemberHooks } from "../member.ts"
import { PollWatch } from "../poll-watch.ts"
import { LEAVE_EPOCH, STATIC_LEAVE_EPOCH, type StreamsBeat, StreamsMembership } from "./membership.ts"
import type { StreamsGroupOptions, StreamsTaskOffset } from "./options.ts"
import { type StreamsGroupStatus, StreamsStatus } from "@millrace/protocol/streams-status"
import { sameStatuses } from "./status.ts"
import { type StreamsTaskId, taskLists } from "./tasks.ts"
import { inputTopics, partitionsOf, wireTopology } from "./topology.ts"

export interface StreamsMemberOptions {
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly streams: StreamsGroupOptions
}

const MEMBER_ID_BYTES = 16
/** A group that hands no tasks out yet is asked this often, should the broker ask for less. */
const HINDERED_INTERVAL_MS = 500
/** From this version on every broker takes the offsets of tasks. */
const TASK_OFFSETS_VERSION = 1

export class StreamsGroup implements Member {
  readonly membership: StreamsMembership
  readonly #cluster: Cluster
  readonly #options: StreamsMemberOptions
  readonly #hooks: MemberHooks
  readonly polls: PollWatch
  readonly #inputs: readonly string[]
  readonly #signal = new Signal()
  #timer: Timer | undefined
  #isBeating = false
  #mustBeat = false
  #isClosed = false
  #isLeaving = false
  /** The broker's, once it has told. */
  #intervalMs: number
  #failures = 0
  #endpointsEpoch = -1
  #statuses: readonly StreamsGroupStatus[] = []
  #isShutdownRequested = false
  /** As whom it joins again, where not as who it was. */
  #successorId: string | undefined
  #offsetsEveryMs = 0
  #offsetsToldAt = -Infinity

  constructor(cluster: Cluster, options: StreamsMemberOptions, hooks: MemberHooks) {
    this.#cluster = cluster
    this.#options = options
    this.#hooks = hooks
    this.membership = new StreamsMembership(options.groupId, options.streams.memberId ?? newMemberId(cluster))
    this.#inputs = options.streams.topology.subtopologies.flatMap(inputTopics)
    this.polls = new PollWatch(cluster.env.clock)
    this.#intervalMs = options.heartbeatIntervalMs
  }

  metadata(): GroupMetadata {
    const { groupId, groupInstanceId } = this.#options
    const { memberId, generation } = this.membership
    return { groupId, groupInstanceId, memberId, generationId: generation }
  }

  /** The topology says what is read. */
  subscribe(topics: readonly string[]): void {
    invariant(
      topics.length === this.#inputs.length && topics.every((topic) => this.#inputs.includes(topic)),
      "a member of a streams group subscribes to the topics that its topology reads",
    )
    this.#beatSoon()
  }

  /** The broker decides; it is told how far the tasks' state is. */
  enforceRebalance(): void {
    this.#offsetsToldAt = -Infinity
    this.#beatSoon()
  }

  /** Asks all members of the group to stop; they are told so by a status. */
  requestShutdown(): void {
    this.#isShutdownRequested = true
    this.#beatSoon()
  }

  startOver(): void {
    if (!this.membership.isJoined) return
    this.#successorId = newMemberId(this.#cluster)
    const leaving = this.#sendLeave(LEAVE_EPOCH)
    this.membership.left()
    this.#changed()
    void leaving
  }

  get isSettled(): boolean {
    this.#watchPartitionCounts()
    return this.membership.isSettled
  }

  async advance(deadline: number): Promise<boolean> {
    const { membership } = this
    const { clock } = this.#cluster.env
    for (;;) {
      if (membership.isOut) await this.#letGo()
      if (membership.fatal) throw membership.fatal
      const change = membership.change()
      if (change?.what === "give-up") {
        try {
          await this.#hooks.revoked(this.#partitions(change.tasks))
        } finally {
          membership.gaveUp(change.tasks)
        }
      } else if (change?.what === "take") {
        membership.took(change.tasks)
        this.#options.streams.listener.onTasks(change.tasks)
        const all = this.#partitions(change.tasks.active)
        await this.#hooks.assigned(this.#partitions(change.added), all)
      } else {
        if (membership.mustReport) this.#beatSoon()
        if (membership.isSettled) return true
        if (clock.monotonic() >= deadline) return false
        await this.#signal.wait(clock, deadline)
      }
    }
  }

  /** One that was refused asks at once whether it is still a member, and what its epoch is. */
  committed(code: number): void {
    if (code !== ErrorCode.NONE) this.#beatSoon()
  }

  async close(leave: boolean): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const { membership } = this
    const owned = this.#partitions(membership.owned.active)
    try {
      // Heartbeats go on while the last commit is made.
      if (owned.length > 0) await (membership.isOut ? this.#hooks.lost(owned) : this.#hooks.revoked(owned))
    } finally {
      await this.#leave(leave)
    }
  }

  async #leave(leave: boolean): Promise<void> {
    const { membership } = this
    this.#isLeaving = true
    this.#timer?.cancel()
    if (membership.isOut) return
    membership.left()
    // A static member says that it will be back: its tasks wait for it, as long as a session.
    if (leave) await this.#sendLeave(LEAVE_EPOCH)
    else if (this.#options.groupInstanceId !== null) await this.#sendLeave(STATIC_LEAVE_EPOCH)
  }

  /** Of tasks that are others' already. */
  async #letGo(): Promise<void> {
    const { membership } = this
    const owned = this.#partitions(membership.owned.active)
    try {
      if (owned.length > 0) await this.#hooks.lost(owned)
    } finally {
      membership.released(this.#successorId)
      this.#successorId = undefined
    }
    if (!membership.fatal) this.#beatSoon()
  }

  #partitions(tasks: readonly StreamsTaskId[]): TopicPartition[] {
    const { topology, partitions } = this.#options.streams
    return partitionsOf(topology, partitions, tasks)
  }

  #watchPartitionCounts(): string | undefined {
    const { partitions, listener } = this.#options.streams
    for (const topic of this.#inputs) {
      const before = partitions.get(topic) ?? 0
      const now = this.#cluster.metadata.topic(topic)?.partitions.length ?? 0
      if (now <= before) continue
      listener.onTopicGrown?.(topic, before, now)
      return topic
    }
    return undefined
  }

  // Heartbeats.

  #beatSoon(): void {
    if (this.#isBeating) this.#mustBeat = true
    else this.#schedule(0)
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel()
    if (this.membership.fatal) return
    const beat = () => {
      this.#isBeating = true
      this.#beat()
        .catch(() => this.#failures++)
        .finally(() => {
          this.#isBeating = false
          this.#scheduleNext()
        })
    }
    this.#timer = this.#cluster.env.clock.setTimer(delayMs, beat, { background: true })
  }

  #scheduleNext(): void {
    const { env } = this.#cluster
    const { membership } = this
    // One that is out waits for its user to let its tasks go.
    if (this.#isLeaving || membership.isOut || membership.fatal) return
    if (this.#failures > 0) {
      const limits = { initialMs: env.retryBackoffMs, maxMs: env.retryBackoffMaxMs }
      return this.#schedule(backoffDelay(limits, this.#failures - 1, env.random))
    }
    if (this.#mustBeat || membership.mustReport) return this.#schedule(0)
    const hindered = membership.isHindered ? HINDERED_INTERVAL_MS : Infinity
    this.#schedule(Math.min(this.#intervalMs, this.#options.heartbeatIntervalMs, hindered))
  }

  async #beat(): Promise<void> {
    const { membership } = this
    const { idleMs } = this.polls
    if (membership.isOut) return
    if (idleMs > this.#options.maxPollIntervalMs) return await this.#expire()
    this.#mustBeat = false
    const offsets = await this.#offsetsDue()
    if (membership.isOut) return
    const beat = membership.beat()
    let answer: StreamsGroupHeartbeatResponse
    try {
      answer = await this.#send(beat, offsets)
    } catch (error) {
      membership.onSilence(beat)
      this.#cluster.coordinatorFault(CoordinatorType.group, membership.groupId, error)
      if (!isRetriableError(error)) membership.failed(error as Error)
      this.#changed()
      throw error
    }
    const step = membership.onAnswer(beat, answer)
    if (step === "coordinator") this.#cluster.forgetCoordinator(CoordinatorType.group, membership.groupId)
    this.#failures = step === "backoff" || step === "coordinator" ? this.#failures + 1 : 0
    if (answer.errorCode === ErrorCode.NONE) this.#follow(answer, offsets !== undefined)
    if (step === "look-up") await this.#lookUp(beat)
    this.#changed()
  }

  #changed(): void {
    this.#signal.notify()
    this.#hooks.changed()
  }

  #follow(answer: StreamsGroupHeartbeatResponse, hasToldOffsets: boolean): void {
    const { listener } = this.#options.streams
    this.#intervalMs = answer.heartbeatIntervalMs
    this.#offsetsEveryMs = answer.taskOffsetIntervalMs
    if (hasToldOffsets) this.#offsetsToldAt = this.#cluster.env.clock.monotonic()
    this.#endpointsEpoch = answer.endpointInformationEpoch
    if (answer.partitionsByUserEndpoint !== null) {
      listener.onEndpoints?.(
        answer.partitionsByUserEndpoint.map(({ userEndpoint, activePartitions, standbyPartitions }) => ({
          endpoint: userEndpoint,
          active: flatten(activePartitions),
          standby: flatten(standbyPartitions),
        })),
      )
    }
    const statuses = answer.status ?? []
    if (sameStatuses(statuses, this.#statuses)) return
    this.#statuses = statuses
    void this.#tellStatuses(statuses)
  }

  /** Topics whose partitions do not fit are mostly those that have grown: that is said better by their names. */
  async #tellStatuses(statuses: readonly StreamsGroupStatus[]): Promise<void> {
    if (statuses.some(({ statusCode }) => statusCode === StreamsStatus.INCORRECTLY_PARTITIONED_TOPICS)) {
      await this.#cluster.refresh().catch(() => {})
      if (this.#watchPartitionCounts() !== undefined) return
    }
    this.#options.streams.listener.onStatuses?.(statuses)
  }

  async #send(
    beat: StreamsBeat,
    offsets: readonly StreamsTaskOffset[] | undefined,
  ): Promise<StreamsGroupHeartbeatResponse> {
    const { groupId, memberId } = this.membership
    const { groupInstanceId, rebalanceTimeoutMs, sessionTimeoutMs } = this.#options
    const { topology, processId, endpoint, clientTags } = this.#options.streams
    const connection = await this.#cluster.coordinator(CoordinatorType.group, groupId, "group")
    const joining = beat.isJoining && {
      topology: wireTopology(topology),
      rebalanceTimeoutMs,
      processId,
      rackId: this.#cluster.env.clientRack || null,
      userEndpoint: endpoint === undefined ? null : { ...endpoint },
      clientTags: Object.entries(clientTags ?? {}).map(([key, value]) => ({ key, value })),
    }
    return await connection.request(
      StreamsGroupHeartbeat,
      (version) => ({
        groupId,
        memberId,
        memberEpoch: beat.memberEpoch,
        endpointInformationEpoch: this.#endpointsEpoch,
        instanceId: groupInstanceId,
        ...joining,
        ...(beat.reported && taskLists(beat.reported)),
        ...(version >= TASK_OFFSETS_VERSION && offsets && offsetLists(offsets)),
        shutdownApplication: this.#isShutdownRequested,
      }),
      // One that gets no answer leaves time for two more before the session ends.
      { timeoutMs: Math.ceil(sessionTimeoutMs / 3) },
    )
  }

  async #offsetsDue(): Promise<readonly StreamsTaskOffset[] | undefined> {
    const { taskOffsets } = this.#options.streams
    const now = this.#cluster.env.clock.monotonic()
    if (taskOffsets === undefined || now - this.#offsetsToldAt < this.#offsetsEveryMs) return undefined
    // They are told for the broker's sake: a heartbeat does not fail for them.
    return await taskOffsets().catch(() => undefined)
  }

  /** The last answer was lost, and this one says nothing of tasks: what the group's description says has been given. */
  async #lookUp(beat: StreamsBeat): Promise<void> {
    const { groupId, memberId } = this.membership
    const group = await describeStreamsGroup(this.#cluster, groupId)
    this.membership.onLookedUp(
      beat,
      group?.members.find((one) => one.memberId === memberId),
    )
  }

  /** The user's code is stuck or slow: others take over. The next poll says so with `onLost`. */
  async #expire(): Promise<void> {
    if (!this.membership.isJoined) return
    this.membership.left()
    this.#changed()
    await this.#sendLeave(LEAVE_EPOCH)
  }

  async #sendLeave(memberEpoch: number): Promise<void> {
    const { groupId, memberId } = this.membership
    const instanceId = this.#options.groupInstanceId
    try {
      const connection = await this.#cluster.coordinator(CoordinatorType.group, groupId, "group")
      await connection.request(StreamsGroupHeartbeat, {
        groupId,
        memberId,
        memberEpoch,
        endpointInformationEpoch: -1,
        instanceId,
        shutdownApplication: this.#isShutdownRequested,
      })
    } catch {
      // Its session ends it.
    }
  }
}

const newMemberId = ({ env }: Cluster): string => Buffer.from(env.random.bytes(MEMBER_ID_BYTES)).toString("base64url")

const offsetLists = (offsets: readonly StreamsTaskOffset[]) => ({
  taskOffsets: offsets.map(({ subtopologyId, partition, offset }) => ({ subtopologyId, partition, offset })),
  taskEndOffsets: offsets.map(({ subtopologyId, partition, endOffset: offset }) => ({
    subtopologyId,
    partition,
    offset,
  })),
})

const flatten = (topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[]) =>
  topics.flatMap(({ topic, partitions }) => partitions.map((partition): TopicPartition => ({ topic, partition })))

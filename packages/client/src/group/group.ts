/**
 * Runs a member of a classic consumer group: joins, syncs, keeps the heartbeat, leaves.
 *
 * A rebalance advances only inside `advance`, which `poll` calls; its requests go on while nobody polls, its callbacks
 * do not. Order: `onRevoked` is awaited, then JoinGroup and SyncGroup, then `onAssigned`. Heartbeats run by timer all
 * the while, also during a long callback.
 */
import { sleep, type Timer } from "@millrace/host"
import { ErrorCode } from "@millrace/protocol"
import { Heartbeat } from "@millrace/protocol/messages/heartbeat"
import { JoinGroup, type JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import { LeaveGroup } from "@millrace/protocol/messages/leave-group"
import { SyncGroup } from "@millrace/protocol/messages/sync-group"
import { type Cluster, CoordinatorType, type Lane } from "../cluster.ts"
import { isRetriableError, isUnanswered, kafkaError } from "../errors.ts"
import { backoffDelay } from "../network/backoff.ts"
import type { BrokerConnection } from "../network/connection.ts"
import type { GroupMetadata } from "../producer/transactions.ts"
import { untilDeadline } from "../signal.ts"
import type { Assignor, TopicPartition } from "./assignor.ts"
import { LeaderView } from "./leader-view.ts"
import type { Member, MemberHooks } from "./member.ts"
import { Membership, type MembershipStep } from "./membership.ts"
import { PollWatch } from "./poll-watch.ts"
import { decodeAssignment, decodeMember, encodeAssignment, encodeSubscription, PROTOCOL_TYPE } from "./protocol.ts"

export interface GroupOptions {
  readonly groupId: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly assignors: readonly Assignor[]
}

/** Beyond the rebalance timeout, what a JoinGroup answer may take. */
const JOIN_GRACE_MS = 5_000

interface Installed {
  readonly assignor: Assignor
  readonly assignment: ReturnType<typeof decodeAssignment>
  readonly generation: number
}

export class Group implements Member {
  readonly membership: Membership
  readonly #cluster: Cluster
  readonly #options: GroupOptions
  readonly #hooks: MemberHooks
  #topics: readonly string[] = []
  #owned: readonly TopicPartition[] = []
  #ownedGeneration = -1
  /** The last assignment, until it is lost. */
  #assigned: readonly TopicPartition[] = []
  #rejoining: Promise<Installed> | undefined
  #prepared = false
  #heartbeat: Timer | undefined
  readonly polls: PollWatch
  #holding = 0
  #closed = false
  readonly #aborter = new AbortController()
  /** As the leader: partition counts that the last assignment was made from. */
  #counts: ReadonlyMap<string, number> | undefined

  constructor(cluster: Cluster, options: GroupOptions, hooks: MemberHooks) {
    this.#cluster = cluster
    this.#options = options
    this.#hooks = hooks
    this.polls = new PollWatch(cluster.env.clock)
    this.membership = new Membership(options.groupId)
  }

  get owned(): readonly TopicPartition[] {
    return this.#owned
  }

  metadata(): GroupMetadata {
    const { groupId, groupInstanceId } = this.#options
    return { groupId, groupInstanceId, memberId: this.membership.memberId, generationId: this.membership.generation }
  }

  subscribe(topics: readonly string[]): void {
    this.#topics = topics
    this.membership.requestRejoin("the subscription changed")
  }

  enforceRebalance(reason: string): void {
    this.membership.requestRejoin(reason)
    this.#hooks.changed()
  }

  /** Whether `advance` has anything to do. */
  get isSettled(): boolean {
    this.#watchPartitionCounts()
    return this.#rejoining === undefined && this.membership.rejoinReason === undefined && !this.membership.fatal
  }

  /** Takes a rebalance as far as it goes until `deadline`; true when the member is stable. */
  async advance(deadline: number): Promise<boolean> {
    const { membership } = this
    for (;;) {
      if (membership.takeLost()) await this.#giveUp("lost", this.#owned)
      if (membership.fatal) throw membership.fatal
      if (!this.#rejoining) {
        if (membership.rejoinReason === undefined) return true
        if (!this.#prepared) {
          if (this.#protocol() === "eager") await this.#giveUp("revoked", this.#owned)
          this.#prepared = true
          continue
        }
        this.#rejoining = this.#rejoin()
        // It may end while nobody polls.
        this.#rejoining.then(this.#hooks.changed, this.#hooks.changed)
      }
      const done = await untilDeadline(this.#cluster.env.clock, this.#rejoining, deadline).catch((error: unknown) => {
        this.#rejoining = undefined
        throw error
      })
      if (!done) return false
      this.#rejoining = undefined
      this.#prepared = false
      // What an earlier generation lost goes before the new assignment comes; one that is lost itself never comes.
      if (membership.takeLost()) await this.#giveUp("lost", this.#owned)
      if (done.value.generation === membership.generation) await this.#install(done.value)
    }
  }

  /** The answer to an offset commit sent in `generation`. */
  committed(code: number, generation: number): void {
    this.#follow(this.membership.onCommit(code, generation))
  }

  /**
   * Revokes what is not lost, and leaves, also when a callback fails; a static member stays in the group unless `leave` says
   * otherwise.
   */
  async close(leave: boolean): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    // Whoever was forgotten may be a member again by now, of a generation in which others have what is owned here.
    try {
      await this.#giveUp(this.membership.takeLost() ? "lost" : "revoked", this.#owned)
    } finally {
      this.#heartbeat?.cancel()
      this.#aborter.abort(new Error("the consumer was closed"))
      this.#rejoining?.catch(() => {})
      if (leave) await this.#leave("the consumer was closed").catch(() => {})
    }
  }

  #protocol(): Assignor["protocol"] {
    return this.#options.assignors.every(({ protocol }) => protocol === "cooperative") ? "cooperative" : "eager"
  }

  async #giveUp(how: "revoked" | "lost", partitions: readonly TopicPartition[]): Promise<void> {
    if (partitions.length === 0) return
    if (how === "lost") this.#assigned = []
    try {
      await this.#hooks[how](partitions)
    } finally {
      const gone = new Set(partitions.map(keyOf))
      this.#owned = this.#owned.filter((partition) => !gone.has(keyOf(partition)))
    }
  }

  /** Joins and syncs until the member has an assignment or a fatal error. */
  async #rejoin(): Promise<Installed> {
    const { env } = this.#cluster
    for (let attempt = 0; ; attempt++) {
      this.#aborter.signal.throwIfAborted()
      const answer = await this.#attempt()
      if (typeof answer === "object") return answer
      if (this.membership.fatal) throw this.membership.fatal
      if (answer === "again") continue
      const delay = { initialMs: env.retryBackoffMs, maxMs: env.retryBackoffMaxMs }
      await sleep(env.clock, backoffDelay(delay, attempt, env.random), this.#aborter.signal)
    }
  }

  async #attempt(): Promise<Installed | MembershipStep> {
    const { membership } = this
    try {
      const connection = await this.#coordinator()
      membership.joining()
      const sentAs = membership.memberId
      const join = await this.#held(this.#join(connection))
      const joined = membership.onJoin(join, connection, sentAs)
      if (joined !== "done") return this.#follow(joined)
      const generation = membership.generation
      this.#beat()
      const assignor = this.#options.assignors.find(({ name }) => name === join.protocolName)
      if (!assignor) throw kafkaError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL, `the group chose ${join.protocolName}`)
      const leads = join.leader === join.memberId
      const assignments = leads && !join.skipAssignment ? await this.#assign(assignor, join) : []
      if (!leads) this.#counts = undefined
      const sync = await this.#held(
        connection.request(
          SyncGroup,
          {
            groupId: membership.groupId,
            generationId: generation,
            memberId: membership.memberId,
            groupInstanceId: this.#options.groupInstanceId,
            protocolType: PROTOCOL_TYPE,
            protocolName: assignor.name,
            assignments,
          },
          { timeoutMs: this.#options.rebalanceTimeoutMs + JOIN_GRACE_MS },
        ),
      )
      const synced = membership.onSync(sync.errorCode, connection)
      if (synced === "rejoin" || synced === "again") return "again"
      if (synced !== "done") return this.#follow(synced)
      return { assignor, assignment: decodeAssignment(sync.assignment), generation }
    } catch (error) {
      // Without its assignment the member is nowhere, whatever the coordinator believes.
      membership.requestRejoin("the last attempt to join failed")
      if (!isRetriableError(error)) throw error
      this.#cluster.coordinatorFault(CoordinatorType.group, membership.groupId, error)
      return "backoff"
    }
  }

  /** The broker holds the answer back until the whole group is there; heartbeats would queue up behind it. */
  async #held<T>(request: Promise<T>): Promise<T> {
    this.#holding++
    try {
      return await request
    } finally {
      this.#holding--
    }
  }

  #join(connection: BrokerConnection): Promise<JoinGroupResponse> {
    const { membership } = this
    const previously = { partitions: membership.isLost ? [] : this.#assigned, generation: this.#ownedGeneration }
    const protocols = this.#options.assignors.map((assignor) => ({
      name: assignor.name,
      metadata: encodeSubscription({
        topics: this.#topics,
        userData: assignor.subscriptionUserData?.(this.#topics, previously) ?? null,
        // Lost ones are others' already, though their owner here is told only by the next `advance`: a leader that took
        // them for ours would let two members have them.
        ownedPartitions: membership.isLost ? [] : this.#owned,
        generationId: this.#ownedGeneration,
        rackId: this.#cluster.env.clientRack || null,
      }),
    }))
    const body = {
      groupId: membership.groupId,
      sessionTimeoutMs: this.#options.sessionTimeoutMs,
      rebalanceTimeoutMs: this.#options.rebalanceTimeoutMs,
      memberId: membership.memberId,
      groupInstanceId: this.#options.groupInstanceId,
      protocolType: PROTOCOL_TYPE,
      protocols,
      reason: membership.rejoinReason ?? null,
    }
    return connection.request(JoinGroup, body, { timeoutMs: this.#options.rebalanceTimeoutMs + JOIN_GRACE_MS })
  }

  async #assign(assignor: Assignor, join: JoinGroupResponse): Promise<{ memberId: string; assignment: Uint8Array }[]> {
    const members = join.members.map((member) => decodeMember(member.memberId, member.groupInstanceId, member.metadata))
    const view = new LeaderView(this.#cluster)
    await view.load([...new Set(members.flatMap((member) => member.topics))])
    const assignments = await assignor.assign(view, members)
    this.#counts = view.counts()
    return members.map(({ memberId }) => ({
      memberId,
      assignment: encodeAssignment(assignments.get(memberId) ?? { partitions: [] }),
    }))
  }

  async #install({ assignor, assignment, generation }: Installed): Promise<void> {
    const { partitions, userData } = assignment
    const before = new Set(this.#owned.map(keyOf))
    const after = new Set(partitions.map(keyOf))
    const added = partitions.filter((partition) => !before.has(keyOf(partition)))
    const removed = this.#owned.filter((partition) => !after.has(keyOf(partition)))
    if (removed.length > 0) {
      // Only the cooperative protocol comes here: what moves away was ours until now, and others wait for it.
      // Asked for first: what a failing callback leaves undone here comes with the next assignment.
      this.membership.requestRejoin("partitions were given up for other members")
      await this.#giveUp("revoked", removed)
    }
    this.#owned = partitions
    this.#assigned = partitions
    this.#ownedGeneration = generation
    assignor.onAssignment?.(partitions, userData, generation)
    await this.#hooks.assigned(added, partitions)
  }

  /** As the leader: topics that grew, appeared or vanished need another assignment. */
  #watchPartitionCounts(): void {
    if (!this.#counts) return
    for (const [topic, count] of this.#counts) {
      const now = this.#cluster.metadata.topic(topic)?.partitions.length ?? 0
      if (now !== count) this.membership.requestRejoin(`topic ${topic} has ${now} partitions, had ${count}`)
    }
  }

  #coordinator(lane: Lane = "group"): Promise<BrokerConnection> {
    return this.#cluster.coordinator(CoordinatorType.group, this.membership.groupId, lane)
  }

  /** Keeps one timer going while the member is joined. */
  #beat(): void {
    this.#heartbeat?.cancel()
    if (this.#closed || !this.membership.isJoined) return
    const { clock } = this.#cluster.env
    this.#heartbeat = clock.setTimer(
      this.#options.heartbeatIntervalMs,
      () => {
        if (this.#closed || !this.membership.isJoined) return
        const { idleMs } = this.polls
        const beat = idleMs > this.#options.maxPollIntervalMs ? this.#expire(idleMs) : this.#sendHeartbeat()
        beat.catch(() => {}).finally(() => this.#beat())
      },
      { background: true },
    )
  }

  async #sendHeartbeat(): Promise<void> {
    // A member whose JoinGroup or SyncGroup is pending is not expired.
    if (this.#holding > 0) return
    const { membership } = this
    const generation = membership.generation
    try {
      const connection = await this.#coordinator()
      const answer = await connection.request(
        Heartbeat,
        {
          groupId: membership.groupId,
          generationId: generation,
          memberId: membership.memberId,
          groupInstanceId: this.#options.groupInstanceId,
        },
        // One that gets no answer leaves time for two more before the session ends.
        { timeoutMs: Math.ceil(this.#options.sessionTimeoutMs / 3) },
      )
      this.#follow(membership.onHeartbeat(answer.errorCode, generation, connection))
    } catch (error) {
      if (isUnanswered(error)) this.#cluster.forgetCoordinator(CoordinatorType.group, membership.groupId)
    }
  }

  /** The user's code is stuck or slow: others take over. The next poll says so with `onLost`. */
  async #expire(idleMs: number): Promise<void> {
    const reason = `no poll for ${Math.round(idleMs)} ms, maxPollIntervalMs is ${this.#options.maxPollIntervalMs}`
    await this.#leave(reason)
  }

  async #leave(reason: string): Promise<void> {
    const { membership } = this
    const { memberId, groupId } = membership
    const { groupInstanceId } = this.#options
    if (memberId === "") return
    membership.left(reason)
    this.#hooks.changed()
    // Behind a JoinGroup that is held back it would wait for members that may never come.
    const connection = await this.#coordinator(this.#holding > 0 ? "main" : "group")
    await connection.request(LeaveGroup, (version) =>
      version >= 3 ? { groupId, members: [{ memberId, groupInstanceId, reason }] } : { groupId, memberId },
    )
  }

  #follow(step: MembershipStep): MembershipStep {
    if (step === "coordinator") this.#cluster.forgetCoordinator(CoordinatorType.group, this.membership.groupId)
    if (step === "rejoin" || step === "fatal") this.#hooks.changed()
    return step
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

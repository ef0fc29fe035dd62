/** A consumer of the classic protocol, as the migration of groups meets it. */
import { encode, ErrorCode } from "@millrace/protocol"
import type { HeartbeatResponse } from "@millrace/protocol/messages/heartbeat"
import type { JoinGroupResponse } from "@millrace/protocol/messages/join-group"
import type { LeaveGroupResponse } from "@millrace/protocol/messages/leave-group"
import type { OffsetCommitResponse } from "@millrace/protocol/messages/offset-commit"
import type { SyncGroupResponse } from "@millrace/protocol/messages/sync-group"
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from "@millrace/protocol/records/consumer-protocol"
import type { Token } from "../../src/coordinator/shard.ts"
import { readAssignment, readSubscription } from "../../src/group/consumer/embedded-protocol.ts"
import { type Client, type ConsumerHarness, type Owned, topicIdOf, topicNameOf } from "./consumer/consumer-harness.ts"

const code = ErrorCode
export const context = { clientId: "client", clientHost: "/127.0.0.1" }

function prefixed(version: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + body.length)
  new DataView(bytes.buffer).setInt16(0, version)
  bytes.set(body, 2)
  return bytes
}

interface ClassicOptions {
  readonly topics?: string[]
  readonly instanceId?: string
  /** A cooperative one keeps what it has while it rejoins. */
  readonly isCooperative?: boolean
  /** In its order of preference. */
  readonly protocols?: string[]
  /** Of these it sends bytes that are no subscription. */
  readonly unreadable?: string[]
}

/** A consumer of the classic protocol as Java's is: it rejoins when it is asked to, and leads when it is told to. */
export class Classic {
  readonly #harness: ConsumerHarness
  readonly #options: ClassicOptions
  memberId = ""
  generation = -1
  owned: Owned = {}
  /** How many partitions it has assigned as the leader of its generation. */
  #shared: number | undefined
  /** What the group chose. */
  #protocol: string | null = null
  #joining: Token<JoinGroupResponse> | undefined
  #syncing: Token<SyncGroupResponse> | undefined

  constructor(harness: ConsumerHarness, options: ClassicOptions = {}) {
    this.#harness = harness
    this.#options = options
  }

  /** One step: a join, what its answer asks for, or a heartbeat. The error heard, if any. */
  step(): ErrorCode {
    if (this.#joining !== undefined) return this.#joined(this.#harness.answer(this.#joining))
    if (this.#syncing !== undefined) return this.#synced(this.#harness.answer(this.#syncing))
    if (this.generation === -1) return this.join()
    // Who leads sees to it that all partitions are assigned.
    if (this.#shared !== undefined && this.#shared !== this.#partitionCount) return this.join()
    const errorCode = this.heartbeat()
    if (errorCode !== code.NONE) this.#rejoin(errorCode)
    return errorCode
  }

  join(): ErrorCode {
    this.ask()
    return this.step()
  }

  /** Joins without looking at the answer. */
  ask(): void {
    const { isCooperative, protocols, unreadable } = this.#options
    this.generation = -1
    if (!isCooperative) this.owned = {}
    const ownedPartitions = Object.entries(this.owned).map(([topic, partitions]) => ({ topic, partitions }))
    const metadata = prefixed(
      1,
      encode(ConsumerProtocolSubscription, 1, {
        topics: this.#options.topics ?? ["t"],
        userData: null,
        ownedPartitions,
      }),
    )
    this.#joining = this.#harness.ask<JoinGroupResponse>((token) => ({
      kind: "join",
      token,
      context: { ...context, apiVersion: 9 },
      freshId: `id${token}`,
      request: {
        groupId: "g",
        sessionTimeoutMs: 30_000,
        rebalanceTimeoutMs: 20_000,
        memberId: this.memberId,
        groupInstanceId: this.#options.instanceId ?? null,
        protocolType: "consumer",
        protocols: (protocols ?? ["range"]).map((name) => ({
          name,
          metadata: unreadable?.includes(name) ? new Uint8Array(0) : metadata,
        })),
        reason: null,
      },
    }))
  }

  heartbeat(generationId = this.generation): ErrorCode {
    const token = this.#harness.ask<HeartbeatResponse>((token) => ({
      kind: "heartbeat",
      token,
      context: { ...context, apiVersion: 4 },
      request: { groupId: "g", generationId, memberId: this.memberId, groupInstanceId: this.#instanceId },
    }))
    return this.#harness.answer(token)!.errorCode as ErrorCode
  }

  commit(generationIdOrMemberEpoch = this.generation): ErrorCode {
    const partitions = [{ partitionIndex: 0, committedOffset: 1, committedLeaderEpoch: -1, committedMetadata: "" }]
    const token = this.#harness.ask<OffsetCommitResponse>((token) => ({
      kind: "offset-commit",
      token,
      context: { ...context, apiVersion: 8 },
      request: {
        ...{ groupId: "g", memberId: this.memberId, generationIdOrMemberEpoch, groupInstanceId: this.#instanceId },
        ...{ retentionTimeMs: -1, topics: [{ name: "t", topicId: topicIdOf("t"), partitions }] },
      },
    }))
    return this.#harness.answer(token)!.topics[0]!.partitions[0]!.errorCode as ErrorCode
  }

  leave(): ErrorCode {
    const member = { memberId: this.memberId, groupInstanceId: this.#instanceId, reason: null }
    const token = this.#harness.ask<LeaveGroupResponse>((token) => ({
      kind: "leave",
      token,
      context: { ...context, apiVersion: 5 },
      request: { groupId: "g", memberId: "", members: [member] },
    }))
    return this.#harness.answer(token)!.members[0]!.errorCode as ErrorCode
  }

  /** The connection broke: what it waits for it will ask for anew. */
  disconnected(): void {
    if (this.#joining === undefined && this.#syncing === undefined) return
    this.#joining = undefined
    this.#syncing = undefined
    this.generation = -1
  }

  sync(generationId: number, assignments: { memberId: string; assignment: Uint8Array }[] = []): ErrorCode {
    this.#syncing = this.#harness.ask<SyncGroupResponse>((token) => ({
      kind: "sync",
      token,
      context: { ...context, apiVersion: 5 },
      request: {
        ...{ groupId: "g", generationId, memberId: this.memberId, groupInstanceId: this.#instanceId },
        ...{ protocolType: "consumer", protocolName: this.#protocol, assignments },
      },
    }))
    return this.step()
  }

  /** Whether the group takes it for a member; else it will hear that it is out, and reads on until then. */
  get isIn(): boolean {
    const { consumerGroups, groups } = this.#harness.shard.state
    const member = consumerGroups.get("g")?.members.get(this.memberId)
    const classic = groups.get("g")
    const generation = member?.memberEpoch ?? (classic?.members.has(this.memberId) ? classic.generation : undefined)
    return generation !== undefined && (this.generation === -1 || this.generation === generation)
  }

  get #partitionCount(): number {
    return this.#harness.topics.byName("t")!.partitionCount
  }

  get #instanceId() {
    return this.#options.instanceId ?? null
  }

  #joined(answer: JoinGroupResponse | undefined): ErrorCode {
    if (answer === undefined) return code.NONE
    this.#joining = undefined
    const { errorCode, memberId, generationId, members, leader } = answer
    if (errorCode === code.MEMBER_ID_REQUIRED) {
      this.memberId = memberId
      return this.join()
    }
    if (errorCode !== code.NONE) {
      this.#rejoin(errorCode)
      return errorCode as ErrorCode
    }
    this.memberId = memberId
    this.generation = generationId
    this.#protocol = answer.protocolName
    this.#shared = leader === memberId ? this.#partitionCount : undefined
    return this.sync(generationId, leader === memberId ? this.#shares(members) : [])
  }

  #synced(answer: SyncGroupResponse | undefined): ErrorCode {
    if (answer === undefined) return code.NONE
    this.#syncing = undefined
    if (answer.errorCode !== code.NONE) this.#rejoin(answer.errorCode)
    else {
      const { partitions } = readAssignment(answer.assignment, this.#harness.topics)!
      const told = Object.fromEntries([...partitions].map(([topicId, indexes]) => [topicNameOf(topicId), [...indexes]]))
      const gaveUp =
        this.#options.isCooperative &&
        Object.entries(this.owned).some(([topic, indexes]) => indexes.some((index) => !told[topic]?.includes(index)))
      this.owned = told
      // What it gave up it says by rejoining.
      if (gaveUp) return this.join()
    }
    return answer.errorCode as ErrorCode
  }

  #rejoin(errorCode: number): void {
    if (errorCode === code.UNKNOWN_MEMBER_ID) this.memberId = ""
    // It is told that it is out, or was in between: others may have what it had.
    if (errorCode !== code.REBALANCE_IN_PROGRESS) this.owned = {}
    this.generation = -1
  }

  /** Partitions of `t` in turn, but those that another member has yet to give up: it rejoins when it has. */
  #shares(members: JoinGroupResponse["members"]) {
    const indexes = Array.from({ length: this.#partitionCount }, (_, index) => index)
    const owners = new Map(
      members.flatMap(({ memberId, metadata }) => {
        const owned = readSubscription(metadata, this.#harness.topics)?.owned.get(topicIdOf("t")) ?? []
        return owned.map((index) => [index, memberId] as const)
      }),
    )
    return members.map(({ memberId }, at) => {
      const partitions = indexes.filter(
        (index) => index % members.length === at && (owners.get(index) ?? memberId) === memberId,
      )
      const assignedPartitions = partitions.length === 0 ? [] : [{ topic: "t", partitions }]
      const body = encode(ConsumerProtocolAssignment, 0, { assignedPartitions, userData: null })
      return { memberId, assignment: prefixed(0, body) }
    })
  }
}

/** Everybody goes on until nothing changes any more; time passes for the delays of a classic rebalance. */
export function settle(harness: ConsumerHarness, classics: Classic[], clients: Client[] = []): void {
  const seen = () =>
    JSON.stringify([
      ...classics.map(({ generation, owned }) => [generation, owned]),
      ...clients.map(({ epoch, partitions }) => [epoch, partitions]),
    ])
  for (let round = 0, quiet = 0; round < 100; round++) {
    const before = seen()
    for (const one of classics) one.step()
    for (const one of clients) if (one.beat() !== code.NONE) one.join()
    harness.advance(1_000)
    quiet = seen() === before && classics.every(({ generation }) => generation >= 0) ? quiet + 1 : 0
    // A classic group waits for newcomers for a while.
    if (quiet === 5) return
  }
  throw new Error("the group does not settle")
}

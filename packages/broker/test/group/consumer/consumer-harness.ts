/** A group shard with topics, asked by members of consumer groups; what must hold of such groups is checked after each step. */
import { expect } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import type { ConsumerGroupDescribeResponse } from "@millrace/protocol/messages/consumer-group-describe"
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from "@millrace/protocol/messages/consumer-group-heartbeat"
import type { GroupCoordinatorConfig } from "../../../src/group/config.ts"
import type { ConsumerGroup } from "../../../src/group/consumer/group.ts"
import type { NamePatterns } from "../../../src/coordinator/patterns.ts"
import type { GroupTopic, GroupTopics } from "../../../src/group/consumer/topics.ts"
import type { GroupRecord } from "../../../src/group/records.ts"
import type { GroupRequest, GroupTimeout } from "../../../src/group/requests.ts"
import { GroupShard } from "../../../src/group/shard.ts"
import { ShardHarness } from "../../coordinator/shard-harness.ts"
import { testConfig, testGroupConfig, type OwnSettings } from "../group-harness.ts"

/** A topic's id in these tests: its name, padded to a UUID. */
export const topicIdOf = (name: string): string => Buffer.from(name.padEnd(16)).toString("base64url")
export const topicNameOf = (topicId: string): string => Buffer.from(topicId, "base64url").toString().trim()

export class Topics implements GroupTopics {
  readonly #topics = new Map<string, GroupTopic>()
  version = 0

  set(name: string, partitionCount: number): void {
    this.#topics.set(name, { name, topicId: topicIdOf(name), partitionCount })
    this.version++
  }
  delete(name: string): void {
    this.#topics.delete(name)
    this.version++
  }
  byName(name: string): GroupTopic | undefined {
    return this.#topics.get(name)
  }
  byId(topicId: string): GroupTopic | undefined {
    return [...this.#topics.values()].find((topic) => topic.topicId === topicId)
  }
  names(): Iterable<string> {
    return this.#topics.keys()
  }
}

export type Beat = Partial<ConsumerGroupHeartbeatRequest> & {
  readonly apiVersion?: number
  readonly maySee?: (topic: string) => boolean
}
/** What a member has: partitions by topic name. */
export type Owned = Record<string, number[]>

class Patterns implements NamePatterns {
  isLoading = false

  matcher(pattern: string) {
    return this.isLoading ? undefined : (topic: string) => new RegExp(`^(?:${pattern})$`).test(topic)
  }
}

export class ConsumerHarness extends ShardHarness<GroupRequest, GroupRecord, GroupTimeout, never, GroupShard> {
  readonly topics: Topics
  readonly own: OwnSettings
  readonly #patterns: Patterns

  constructor(topics: Record<string, number>, config: Partial<GroupCoordinatorConfig> = {}) {
    const own: OwnSettings = {}
    const patterns = new Patterns()
    const known = new Topics()
    for (const [name, partitions] of Object.entries(topics)) known.set(name, partitions)
    const dump = ({ state }: GroupShard) => ({
      consumerGroups: [...state.consumerGroups].map(([groupId, group]) => [groupId, groupFields(group)]).sort(),
      groups: [...state.groups]
        .filter(([groupId, { persisted }]) => persisted !== null || state.offsets.topics(groupId) !== undefined)
        .map(([groupId, { persisted }]) => [groupId, persisted])
        .sort(),
      offsets: state.offsets.dump(),
    })
    super({
      create: () =>
        new GroupShard({
          config: { ...testConfig, ...config },
          configOf: () => ({ ...testGroupConfig, ...own }),
          topics: known,
          patterns,
        }),
      durable: dump,
      everything: (shard) => ({
        ...dump(shard),
        soft: [...shard.state.consumerGroups.values()].map(({ checkedVersion, rejoining }) => [
          checkedVersion,
          [...rejoining],
        ]),
        classic: [...shard.state.groups].map(([groupId, { state, generation, members }]) => [
          groupId,
          state,
          generation,
          [...members],
        ]),
      }),
      check: ({ state }) => {
        for (const group of state.consumerGroups.values()) checkGroup(group)
      },
    })
    this.topics = known
    this.own = own
    this.#patterns = patterns
  }

  /** While the library of expressions is loading, none can be evaluated. */
  set isLoading(isLoading: boolean) {
    this.#patterns.isLoading = isLoading
  }

  group(groupId = "g"): ConsumerGroup {
    const group = this.shard.state.consumerGroups.get(groupId)
    if (group === undefined) throw new Error(`there is no consumer group ${groupId}`)
    return group
  }

  beat(beat: Beat): ConsumerGroupHeartbeatResponse {
    const { apiVersion = 1, maySee = () => true, ...given } = beat
    const token = this.ask<ConsumerGroupHeartbeatResponse>((token) => ({
      kind: "consumer-heartbeat",
      token,
      context: { apiVersion, clientId: "client", clientHost: "/127.0.0.1" },
      maySee,
      freshId: "fresh",
      request: {
        groupId: "g",
        memberId: "m",
        memberEpoch: 0,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: -1,
        subscribedTopicNames: null,
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions: null,
        ...given,
      },
    }))
    const answer = this.answer(token)
    expect(answer).toBeDefined()
    return answer!
  }

  /** A first heartbeat whose records the log refuses: nothing may change. */
  joinInVain(memberId: string): void {
    this.askInVain<ConsumerGroupHeartbeatResponse>((token) => ({
      kind: "consumer-heartbeat",
      token,
      context: { apiVersion: 1, clientId: "client", clientHost: "/127.0.0.1" },
      maySee: () => true,
      freshId: "fresh",
      request: {
        groupId: "g",
        memberId,
        memberEpoch: 0,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: 1000,
        subscribedTopicNames: ["t"],
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions: [],
      },
    }))
  }

  /** A first heartbeat. */
  join(memberId: string, beat: Beat = {}): ConsumerGroupHeartbeatResponse {
    return this.beat({
      memberId,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: beat.subscribedTopicRegex === undefined ? ["t"] : null,
      topicPartitions: [],
      ...beat,
    })
  }

  describe(groupId = "g"): ConsumerGroupDescribeResponse["groups"][number] {
    const token = this.ask<ConsumerGroupDescribeResponse["groups"]>((token) => ({
      kind: "consumer-describe",
      token,
      context: { apiVersion: 1, clientId: "client", clientHost: "/127.0.0.1" },
      groupIds: [groupId],
    }))
    return this.answer(token)![0]!
  }
}

/** A client as Java's is: it gives up at once what it is told to, says so, and reports what changed. */
export class Client {
  readonly #harness: ConsumerHarness
  readonly memberId: string
  epoch = 0
  owned = new Map<string, number[]>()
  #reported = ""

  constructor(harness: ConsumerHarness, memberId: string) {
    this.#harness = harness
    this.memberId = memberId
  }

  join(beat: Beat = {}): this {
    this.epoch = 0
    this.owned = new Map()
    this.#take(this.#harness.join(this.memberId, beat))
    return this
  }

  beat(): ErrorCode {
    const topicPartitions = this.#report()
    return this.#take(this.#harness.beat({ memberId: this.memberId, memberEpoch: this.epoch, topicPartitions }))
  }

  leave(): void {
    this.#harness.beat({ memberId: this.memberId, memberEpoch: -1 })
  }

  get partitions(): Owned {
    return Object.fromEntries([...this.owned].map(([topicId, partitions]) => [topicNameOf(topicId), partitions]))
  }

  #report() {
    const topicPartitions = [...this.owned].map(([topicId, partitions]) => ({ topicId, partitions }))
    const text = JSON.stringify(topicPartitions)
    if (text === this.#reported) return null
    this.#reported = text
    return topicPartitions
  }

  #take({ errorCode, memberEpoch, assignment }: ConsumerGroupHeartbeatResponse): ErrorCode {
    if (errorCode !== ErrorCode.NONE) return errorCode as ErrorCode
    this.epoch = memberEpoch
    if (assignment !== null)
      this.owned = new Map(assignment.topicPartitions.map(({ topicId, partitions }) => [topicId, [...partitions]]))
    return ErrorCode.NONE
  }
}

/** Heartbeats in turn until nothing changes any more. */
export function settle(clients: readonly Client[]): void {
  for (let round = 0; round < 20; round++) {
    const before = JSON.stringify(clients.map(({ epoch, partitions }) => [epoch, partitions]))
    for (const client of clients) expect(client.beat()).toBe(ErrorCode.NONE)
    if (JSON.stringify(clients.map(({ epoch, partitions }) => [epoch, partitions])) === before) return
  }
  throw new Error("the group does not settle")
}

function groupFields(group: ConsumerGroup) {
  return {
    groupEpoch: group.groupEpoch,
    metadataHash: group.metadataHash,
    assignmentEpoch: group.assignmentEpoch,
    members: [...group.members].map(([id, member]) => [
      id,
      { ...member, assigned: [...member.assigned], pendingRevocation: [...member.pendingRevocation] },
    ]),
    targets: [...group.targets].map(([id, target]) => [id, [...target]]).sort(),
    regexes: [...group.regexes].sort(),
  }
}

/** A partition has one owner, who may have it still to give up; epochs never pass the group's. */
function checkGroup(group: ConsumerGroup): void {
  const owners = new Map<string, string>()
  for (const member of group.members.values()) {
    for (const set of [member.assigned, member.pendingRevocation]) {
      for (const [topicId, partitions] of set) {
        for (const partition of partitions) {
          const name = `${topicId}-${partition}`
          expect(owners.get(name), `${name} has two owners`).toBeUndefined()
          owners.set(name, member.memberId)
        }
      }
    }
    expect(member.memberEpoch).toBeLessThanOrEqual(group.assignmentEpoch)
  }
  expect(group.assignmentEpoch).toBeLessThanOrEqual(group.groupEpoch)
  if (group.members.size === 0) expect(group.assignmentEpoch, "row 97").toBe(group.groupEpoch)
}

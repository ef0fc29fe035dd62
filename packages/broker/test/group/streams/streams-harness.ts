/** A group shard with topics, asked by members of streams groups; what must hold of such groups is checked after each step. */
import { expect } from "vitest"
import { ErrorCode } from "@millrace/protocol"
import type { StreamsGroupDescribeResponse } from "@millrace/protocol/messages/streams-group-describe"
import type {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from "@millrace/protocol/messages/streams-group-heartbeat"
import type { GroupCoordinatorConfig } from "../../../src/group/config.ts"
import type { InternalTopic } from "../../../src/group/streams/configured-topology.ts"
import type { StreamsGroup } from "../../../src/group/streams/group.ts"
import type { StreamsBeatAnswer } from "../../../src/group/streams/requests.ts"
import type { Subtopology, Topology } from "../../../src/group/streams/topology.ts"
import type { GroupRecord } from "../../../src/group/records.ts"
import type { GroupRequest, GroupTimeout } from "../../../src/group/requests.ts"
import { GroupShard } from "../../../src/group/shard.ts"
import { ShardHarness } from "../../coordinator/shard-harness.ts"
import { Topics } from "../consumer/consumer-harness.ts"
import { noPatterns, testConfig, testGroupConfig, type OwnSettings } from "../group-harness.ts"

export type Beat = Partial<StreamsGroupHeartbeatRequest>

export const subtopology = (subtopologyId: string, fields: Partial<Subtopology>): Subtopology => ({
  subtopologyId,
  sourceTopics: [],
  sourceTopicRegex: [],
  stateChangelogTopics: [],
  repartitionSinkTopics: [],
  repartitionSourceTopics: [],
  copartitionGroups: [],
  ...fields,
})

export const topic = (name: string, partitions = 0) => ({ name, partitions, replicationFactor: 0, topicConfigs: [] })

/** One subtopology that reads `t`, without stores. */
export const simple: Topology = { epoch: 0, subtopologies: [subtopology("0", { sourceTopics: ["t"] })] }
/** Words are read in one subtopology and counted in another. */
export const wordCount: Topology = {
  epoch: 0,
  subtopologies: [
    subtopology("0", { sourceTopics: ["t"], repartitionSinkTopics: ["words"] }),
    subtopology("1", { repartitionSourceTopics: [topic("words")], stateChangelogTopics: [topic("counts")] }),
  ],
}

export class StreamsHarness extends ShardHarness<GroupRequest, GroupRecord, GroupTimeout, never, GroupShard> {
  readonly topics: Topics
  readonly own: OwnSettings
  missing: readonly InternalTopic[] = []

  constructor(topics: Record<string, number>, config: Partial<GroupCoordinatorConfig> = {}) {
    const own: OwnSettings = {}
    const known = new Topics()
    for (const [name, partitions] of Object.entries(topics)) known.set(name, partitions)
    const dump = ({ state }: GroupShard) => ({
      streamsGroups: [...state.streamsGroups].map(([groupId, group]) => [groupId, groupFields(group)]).sort(),
      groups: [...state.groups.keys()].sort(),
      offsets: state.offsets.dump(),
    })
    super({
      create: () =>
        new GroupShard({
          config: { ...testConfig, ...config },
          configOf: () => ({ ...testGroupConfig, ...own }),
          topics: known,
          patterns: noPatterns,
        }),
      durable: dump,
      everything: (shard) => ({
        ...dump(shard),
        soft: [...shard.state.streamsGroups.values()].map(({ soft, taskOffsets }) => [soft, [...taskOffsets]]),
      }),
      check: ({ state }) => {
        for (const group of state.streamsGroups.values()) checkGroup(group)
      },
    })
    this.topics = known
    this.own = own
  }

  beat(beat: Beat): StreamsGroupHeartbeatResponse {
    const token = this.ask<StreamsBeatAnswer>((token) => ({
      kind: "streams-heartbeat",
      token,
      context: { apiVersion: 1, clientId: "client", clientHost: "/127.0.0.1" },
      request: {
        groupId: "g",
        memberId: "m",
        memberEpoch: 0,
        endpointInformationEpoch: 0,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: -1,
        topology: null,
        activeTasks: null,
        standbyTasks: null,
        warmupTasks: null,
        processId: null,
        userEndpoint: null,
        clientTags: null,
        taskOffsets: null,
        taskEndOffsets: null,
        shutdownApplication: false,
        ...beat,
      },
    }))
    const answer = this.answer(token)
    expect(answer).toBeDefined()
    this.missing = answer!.missing
    return answer!.response
  }

  /** A first heartbeat. */
  join(memberId: string, beat: Beat = {}): StreamsGroupHeartbeatResponse {
    return this.beat({
      memberId,
      rebalanceTimeoutMs: 60_000,
      topology: simple,
      processId: `process-of-${memberId}`,
      activeTasks: [],
      standbyTasks: [],
      warmupTasks: [],
      ...beat,
    })
  }

  describe(groupId = "g"): StreamsGroupDescribeResponse["groups"][number] {
    const token = this.ask<StreamsGroupDescribeResponse["groups"]>((token) => ({
      kind: "streams-describe",
      token,
      context: { apiVersion: 1, clientId: "client", clientHost: "/127.0.0.1" },
      groupIds: [groupId],
    }))
    return this.answer(token)![0]!
  }

  createMissing(): void {
    for (const { name, partitions } of this.missing) this.topics.set(name, partitions)
  }
}

/** A thread as Kafka Streams has it: it gives up at once what it is told to, says so, and reports what changed. */
export class Thread {
  readonly #harness: StreamsHarness
  readonly memberId: string
  epoch = 0
  active: Record<string, number[]> = {}
  standby: Record<string, number[]> = {}
  #reported = ""

  constructor(harness: StreamsHarness, memberId: string) {
    this.#harness = harness
    this.memberId = memberId
  }

  join(beat: Beat = {}): this {
    this.epoch = 0
    this.active = {}
    this.standby = {}
    this.#take(this.#harness.join(this.memberId, beat))
    return this
  }

  beat(): ErrorCode {
    return this.#take(this.#harness.beat({ memberId: this.memberId, memberEpoch: this.epoch, ...this.#report() }))
  }

  leave(): void {
    this.#harness.beat({ memberId: this.memberId, memberEpoch: -1 })
  }

  #report(): Beat {
    const text = JSON.stringify([this.active, this.standby])
    if (text === this.#reported) return {}
    this.#reported = text
    return { activeTasks: listed(this.active), standbyTasks: listed(this.standby), warmupTasks: [] }
  }

  #take({ errorCode, memberEpoch, activeTasks, standbyTasks }: StreamsGroupHeartbeatResponse): ErrorCode {
    if (errorCode !== ErrorCode.NONE) return errorCode as ErrorCode
    this.epoch = memberEpoch
    if (activeTasks !== null) this.active = byId(activeTasks)
    if (standbyTasks !== null) this.standby = byId(standbyTasks)
    return ErrorCode.NONE
  }
}

/** Heartbeats in turn until nothing changes any more. */
export function settle(threads: readonly Thread[]): void {
  for (let round = 0; round < 20; round++) {
    const shown = () => JSON.stringify(threads.map(({ epoch, active, standby }) => [epoch, active, standby]))
    const before = shown()
    for (const thread of threads) expect(thread.beat()).toBe(ErrorCode.NONE)
    if (shown() === before) return
  }
  throw new Error("the group does not settle")
}

const listed = (tasks: Record<string, number[]>) =>
  Object.entries(tasks).map(([subtopologyId, partitions]) => ({ subtopologyId, partitions }))
const byId = (tasks: readonly { subtopologyId: string; partitions: number[] }[]) =>
  Object.fromEntries(tasks.map(({ subtopologyId, partitions }) => [subtopologyId, partitions]))

function groupFields(group: StreamsGroup) {
  return {
    metadata: group.metadata,
    topology: group.topology,
    assignmentEpoch: group.assignmentEpoch,
    members: [...group.members].sort(),
    targets: [...group.targets].sort(),
  }
}

/** A task is active once, and at a process in one role; epochs never pass the group's. */
function checkGroup(group: StreamsGroup): void {
  const active = new Map<string, string>()
  const places = new Set<string>()
  for (const member of group.members.values()) {
    for (const tasks of [member.assigned, member.pendingRevocation]) {
      for (const role of ["active", "standby"] as const) {
        for (const [id, partitions] of tasks[role]) {
          for (const partition of partitions) {
            const name = `${id}_${partition}`
            const place = `${member.processId}/${name}`
            expect(places.has(place), `${place} has it twice`).toBe(false)
            places.add(place)
            if (role === "standby") continue
            expect(active.get(name), `${name} is active twice`).toBeUndefined()
            active.set(name, member.memberId)
          }
        }
      }
    }
    expect(member.memberEpoch).toBeLessThanOrEqual(group.assignmentEpoch)
  }
  expect(group.assignmentEpoch).toBeLessThanOrEqual(group.groupEpoch)
  if (group.members.size === 0) expect(group.assignmentEpoch).toBe(group.groupEpoch)
}

/**
 * Our assignor over the classic group protocol: hands out whole tasks, cooperatively, and copies of their state.
 *
 * Each member tells its process and its place in it, how far the state goes that it has, the copies that it keeps, its
 * tags and a fingerprint of its plan; one that answers queries tells its endpoint too (`application.server` in Kafka
 * Streams). The leader asks for the ends of changelogs, decides (assignment.ts), and tells each member its copies, those
 * that are to become active, and who has what.
 *
 * A member that must give tasks up before others can have them is told so with its assignment. It joins again once it
 * has, and so does its successor when it dies before: a static member that restarts gets its predecessor's assignment
 * without a rebalance, has nothing to give up, and the others would wait for it without end.
 *
 * Members with another plan under the same application id would make nonsense of each other's topics. Whoever came first
 * stays: the newcomers get nothing and are told why, a newcomer that leads tells so to itself. Input topics that have grown
 * end every run: tasks, changelogs and repartition topics are laid out for the partitions there were.
 *
 * An assignor of the application's own (KIP-924) is asked in place of ours once every member names it: whoever leads then
 * decides alike, and a deployment that brings it, or another, goes through with ours.
 *
 * The leader tells every member something. An assignment without that was made by the broker, for a group that consumers of
 * the newer protocol have begun (KIP-848): it would give them partitions of ours, and us parts of tasks.
 */
import type { Assignor, AssignorCluster, GroupMember, MemberAssignment, TopicPartition } from "@millrace/client"
import { formatTaskId } from "../topology/naming.ts"
import type { PartitionCounts } from "../topology/partitions.ts"
import type { Topology } from "../topology/topology.ts"
import { PipelineError } from "../errors.ts"
import {
  ADVICE,
  decodeMemberData,
  decodeNotice,
  encodeMemberData,
  encodeNotice,
  type MemberData,
  type Notice,
  OtherVersion,
  planFingerprint,
  type TaskEndpoints,
} from "./assignor-data.ts"
import {
  type Assignment,
  type AssignedMember,
  type AssignedTask,
  type AssignmentRules,
  assignTasks,
  awaitedMembers,
  withholdMoving,
} from "../assignment/assignment.ts"
import { askAssignor } from "../assignment/check-assignment.ts"
import { seatInProcesses } from "../assignment/seats.ts"
import type { TaskAssignor } from "../assignment/task-assignor.ts"
import { applicationState, changelogsOf, changelogTopics, leaderRacks } from "./application-state.ts"
import { changelogEnds, type ReadableEnds } from "./changelog-ends.ts"
import { grownTopicMessage } from "./grown-topic.ts"
import { partitionName } from "./ports.ts"
import { allTasks, inputsOf } from "./task-factory.ts"

const NAME = "millrace-streams"

export interface StreamsAssignorOptions {
  readonly topology: Topology
  /** Of source topics, as they were when the run started. */
  readonly partitions: PartitionCounts
  readonly processId: string
  /** Of the process's worker threads. */
  readonly worker: number
  readonly rules: AssignmentRules
  /** In place of ours. */
  readonly custom: TaskAssignor | undefined
  readonly log: (message: string) => void
  readonly tags: Readonly<Record<string, string>>
  /** How far the state of tasks goes that are not running here: the sum of offsets in their changelogs. */
  readonly positions: () => Readonly<Record<string, number>>
  /** Tasks of which this member keeps copies. */
  readonly standing: () => readonly string[]
  /** Where changelogs can be read to. */
  readonly readableEnds: ReadableEnds
  /** Others wait for this member to join again, or its assignment was made for another. */
  readonly onAwaited: () => void
  readonly onNotice: (notice: Notice) => void
  /** Where this process answers queries. */
  readonly endpoint?: string
}

/** A member as the leader sees it. */
interface Present {
  readonly member: GroupMember
  readonly data: MemberData
}

export function streamsAssignor(options: StreamsAssignorOptions): Assignor {
  const { topology, processId, worker, onAwaited, onNotice, endpoint, tags, custom, rules } = options
  const fingerprint = planFingerprint(topology.plan)
  let isNew = true
  return {
    name: NAME,
    protocol: "cooperative",
    subscriptionUserData: () =>
      encodeMemberData({
        processId,
        worker,
        fingerprint,
        isNew,
        positions: options.positions(),
        standing: options.standing(),
        tags,
        ...(custom !== undefined && { assignor: custom.name }),
        ...(endpoint !== undefined && { endpoint }),
      }),
    async assign(cluster, members) {
      const { present, strangers } = told(members)
      const [stranger] = strangers
      // They would not understand what we decide. Nothing has been decided yet: without us they go on.
      if (isNew && stranger !== undefined && strangers.some(({ member }) => member.ownedPartitions.length > 0)) {
        throw new PipelineError(`application "${topology.applicationId}": ${stranger.version.reason}: ${ADVICE}`)
      }
      const needsRacks = custom !== undefined || rules.rackAwareAssignmentStrategy !== "none"
      await cluster.load([...sourceTopics(topology), ...(needsRacks ? changelogTopics(topology) : [])])
      const assigned = await new Leader(options, fingerprint).assign(cluster, present)
      for (const { member, version } of strangers) {
        const refused = `application "${topology.applicationId}": ${version.reason}, which leads: ${ADVICE}`
        assigned.set(member.memberId, { partitions: [], userData: encodeNotice(refusal(fingerprint, refused)) })
      }
      return assigned
    },
    onAssignment(_, userData) {
      if (userData === null || userData.length === 0) return onNotice(sharedGroup(topology.applicationId, fingerprint))
      const notice = decodeNotice(userData)
      const isForeign = notice.fingerprint !== fingerprint
      if (!isForeign && notice.refused === undefined) isNew = false
      onNotice(isForeign ? { ...notice, isForeign } : notice)
      // A static member that restarts may get its predecessor's assignment, in which its new endpoint or assignor is not
      // known, or which was made for the plan that it had before.
      const isUnknown = endpoint !== undefined && notice.endpoints[endpoint] === undefined
      const isOther = notice.assignor !== undefined && notice.assignor !== (custom?.name ?? "")
      if (notice.refused === undefined && (notice.awaited || isUnknown || isForeign || isOther)) onAwaited()
    },
  }
}

/** Members that are understood, and those that are not. */
function told(members: readonly GroupMember[]) {
  const present: Present[] = []
  const strangers: { readonly member: GroupMember; readonly version: OtherVersion }[] = []
  for (const member of members) {
    const data = decodeMemberData(member.userData)
    if (data instanceof OtherVersion) strangers.push({ member, version: data })
    else present.push({ member, data })
  }
  return { present, strangers }
}

const refusal = (fingerprint: string, refused: string): Notice => ({
  fingerprint,
  awaited: false,
  standby: [],
  warmup: [],
  endpoints: {},
  refused,
})

/** What a member tells itself that has a broker for a leader: nothing is opened, and the run ends. */
function sharedGroup(group: string, fingerprint: string): Notice {
  const refused =
    `group "${group}" has members that are not this application: its broker assigns the partitions, to plain consumers ` +
    `too, and not the application's leader; stop the consumers whose group.id is "${group}", or give the application ` +
    "another applicationId"
  return { ...refusal(fingerprint, refused), isForeign: true }
}

const sourceTopics = (topology: Topology): string[] => [
  ...new Set(topology.subtopologies.flatMap((one) => one.sources.map(({ topic }) => topic))),
]

class Leader {
  readonly #options: StreamsAssignorOptions
  readonly #fingerprint: string

  constructor(options: StreamsAssignorOptions, fingerprint: string) {
    this.#options = options
    this.#fingerprint = fingerprint
  }

  async assign(cluster: AssignorCluster, present: readonly Present[]): Promise<Map<string, MemberAssignment>> {
    const incumbents = present.filter(({ data }) => !data.isNew)
    const isOurs = ({ data }: Present) => data.fingerprint === this.#fingerprint
    if (incumbents.length > 0 && !incumbents.some(isOurs)) return this.#yield(present)
    const grown = this.#grownTopic(cluster)
    if (grown !== undefined) return new Map(present.map((one) => [one.member.memberId, this.#refusal(one, grown)]))
    const assigned = await this.#divide(cluster, present.filter(isOurs))
    for (const one of present)
      if (!isOurs(one)) assigned.set(one.member.memberId, this.#refusal(one, this.#otherPlan(one)))
    return assigned
  }

  async #divide(cluster: AssignorCluster, present: readonly Present[]): Promise<Map<string, MemberAssignment>> {
    const { topology, partitions } = this.#options
    const inputs = new Map(
      allTasks(topology, partitions).map((id) => [formatTaskId(id), inputsOf(topology, partitions, id)] as const),
    )
    const tasks = await this.#tasks(cluster, inputs)
    const ends = new Map(tasks.map(({ name, stateRecords }) => [name, stateRecords]))
    const members = present.map((one) => describeMember(one, inputs, ends))
    const wanted = this.#decide(cluster, present, tasks, members)
    const awaited = awaitedMembers(wanted.active, members)
    const given = withholdMoving(wanted, members)
    const endpoints = endpointsOf(present, given)
    const named = new Map(present.map(({ member, data }) => [member.memberId, data.assignor] as const))
    return new Map(
      members.map(({ id }) => {
        const notice: Notice = {
          fingerprint: this.#fingerprint,
          awaited: awaited.has(id),
          standby: given.standby.get(id)!,
          warmup: given.warmup.get(id)!,
          endpoints,
          assignor: named.get(id) ?? "",
        }
        const owned = given.active.get(id)!.flatMap((task) => inputs.get(task)!)
        return [id, { partitions: owned, userData: encodeNotice(notice) }]
      }),
    )
  }

  /** Where every task should be, by our assignor or the one that all name. */
  #decide(
    cluster: AssignorCluster,
    present: readonly Present[],
    tasks: readonly AssignedTask[],
    members: readonly AssignedMember[],
  ): Assignment {
    const { topology, partitions, rules, custom, log } = this.#options
    const other = present.find(({ data }) => data.assignor !== custom?.name)
    const isAgreed = custom !== undefined && other === undefined
    if (other !== undefined) {
      const named = ({ assignor }: MemberData) => (assignor === undefined ? "names none" : `names "${assignor}"`)
      log(
        `the built-in assignor decides until all processes name one assignor: this one names ` +
          `${custom === undefined ? "none" : `"${custom.name}"`}, process ${other.data.processId} ${named(other.data)}`,
      )
    }
    if (!isAgreed) {
      this.#checkRacks(members)
      return assignTasks(tasks, members, rules)
    }
    const endpoints = new Map(
      present.flatMap(({ data }) => (data.endpoint === undefined ? [] : [[data.processId, data.endpoint] as const])),
    )
    const state = applicationState({ topology, partitions, cluster, tasks, members, endpoints, rules })
    return seatInProcesses(askAssignor(custom, state), tasks, members, rules)
  }

  #checkRacks(members: readonly AssignedMember[]): void {
    const { rules, log } = this.#options
    const unknown = members.find(({ rack }) => rack === undefined)
    if (rules.rackAwareAssignmentStrategy === "none" || unknown === undefined) return
    log(`traffic between racks is not weighed: process ${unknown.processId} tells no clientRack`)
  }

  async #tasks(
    cluster: AssignorCluster,
    inputs: ReadonlyMap<string, readonly TopicPartition[]>,
  ): Promise<AssignedTask[]> {
    const { topology, partitions, readableEnds } = this.#options
    const ids = allTasks(topology, partitions)
    const records = await changelogEnds(topology, ids, readableEnds)
    return ids.map((id) => {
      const name = formatTaskId(id)
      const { subtopology } = id
      return {
        name,
        subtopology,
        isStateful: records.has(name),
        stateRecords: records.get(name) ?? 0,
        inputRacks: leaderRacks(cluster, inputs.get(name)!),
        changelogRacks: leaderRacks(cluster, changelogsOf(topology, id)),
      }
    })
  }

  #grownTopic(cluster: AssignorCluster): string | undefined {
    for (const topic of sourceTopics(this.#options.topology)) {
      const before = this.#options.partitions.get(topic) ?? 0
      const now = cluster.partitionCount(topic) ?? before
      if (now > before) return grownTopicMessage(this.#options.topology, topic, before, now)
    }
    return undefined
  }

  /** We lead and are the newcomer: the others keep what they have until we have gone. */
  #yield(present: readonly Present[]): Map<string, MemberAssignment> {
    return new Map(
      present.map((one) => {
        const { memberId, ownedPartitions } = one.member
        if (one.data.fingerprint === this.#fingerprint) return [memberId, this.#refusal(one, this.#otherPlan(one))]
        const { fingerprint, standing } = one.data
        const notice = { fingerprint, awaited: false, standby: standing, warmup: [], endpoints: {} }
        return [memberId, { partitions: ownedPartitions, userData: encodeNotice(notice) }]
      }),
    )
  }

  #refusal({ data }: Present, refused: string): MemberAssignment {
    return { partitions: [], userData: encodeNotice(refusal(data.fingerprint, refused)) }
  }

  #otherPlan({ data }: Present): string {
    return (
      `application "${this.#options.topology.applicationId}": others run another version of the pipeline than process ` +
      `${data.processId}; stop them first, or give this one its own applicationId`
    )
  }
}

function describeMember(
  { member, data }: Present,
  inputs: ReadonlyMap<string, readonly TopicPartition[]>,
  ends: ReadonlyMap<string, number>,
): AssignedMember {
  const owned = new Set(member.ownedPartitions.map(partitionName))
  const running = [...inputs].filter(([, partitions]) => partitions.some((one) => owned.has(partitionName(one))))
  const lags = new Map<string, number>()
  for (const [task, position] of Object.entries(data.positions)) {
    const end = ends.get(task)
    // Beyond the end: of another topic by that name.
    if (end !== undefined && position <= end) lags.set(task, end - position)
  }
  return {
    id: member.memberId,
    stableName: `${data.processId} ${String(data.worker).padStart(4, "0")}`,
    processId: data.processId,
    tags: data.tags,
    rack: member.rackId ?? undefined,
    running: running.map(([task]) => task),
    standing: data.standing.filter((task) => inputs.has(task)),
    lags,
  }
}

/** The threads of a process answer queries together. */
function endpointsOf(present: readonly Present[], { active, standby }: Assignment): TaskEndpoints {
  const endpoints: Record<string, { active: string[]; standby: string[] }> = {}
  for (const { member, data } of present) {
    if (data.endpoint === undefined) continue
    const there = (endpoints[data.endpoint] ??= { active: [], standby: [] })
    there.active.push(...(active.get(member.memberId) ?? []))
    there.standby.push(...(standby.get(member.memberId) ?? []))
  }
  return endpoints
}

/**
 * Our assignor over the classic group protocol: hands out whole tasks, cooperatively.
 *
 * A member that must give tasks up before others can have them is told so with its assignment. It joins again once it
 * has, and so does its successor when it dies before: a static member that restarts gets its predecessor's assignment
 * without a rebalance, has nothing to give up, and the others would wait for it without end.
 *
 * Each member tells its process id, the tasks whose state it has on disk, and a fingerprint of its plan: members that run
 * another pipeline under the same application id would make nonsense of each other's topics, so the leader refuses them.
 * One that answers queries tells its endpoint too (`application.server` in Kafka Streams), and all learn who has what.
 */
import type { Assignor, AssignorCluster, GroupMember, MemberAssignment, TopicPartition } from "@millrace/client"
import { PipelineError } from "../errors.ts"
import type { PartitionCounts } from "../topology/partitions.ts"
import { formatTaskId } from "../topology/naming.ts"
import type { Topology } from "../topology/topology.ts"
import { type AssignedMember, assignTasks, awaitedMembers, withholdMoving } from "./assignment.ts"
import { allTasks, inputsOf } from "./task-factory.ts"

const NAME = "millrace-streams"
const VERSION = 1

interface MemberData {
  readonly processId: string
  readonly fingerprint: string
  readonly stored: readonly string[]
  /** HOST:PORT where it answers queries. */
  readonly endpoint?: string
}

/** Which tasks run where queries are answered: names of tasks by endpoint. */
export type TaskEndpoints = Readonly<Record<string, readonly string[]>>

export interface StreamsAssignorOptions {
  readonly topology: Topology
  readonly processId: string
  /** Names of tasks with state here. */
  readonly storedTasks: () => readonly string[]
  /** Others wait for this member to join again. */
  readonly onAwaited: () => void
  /** Where this process answers queries. */
  readonly endpoint?: string
  readonly onEndpoints?: (endpoints: TaskEndpoints) => void
}

export function streamsAssignor(options: StreamsAssignorOptions): Assignor {
  const { topology, processId, storedTasks, onAwaited, endpoint, onEndpoints } = options
  const fingerprint = fingerprintOf(JSON.stringify(topology.plan))
  return {
    name: NAME,
    protocol: "cooperative",
    subscriptionUserData: () =>
      encodeData({ processId, fingerprint, stored: storedTasks(), ...(endpoint !== undefined && { endpoint }) }),
    async assign(cluster, members) {
      const topics = topology.subtopologies.flatMap((one) => one.sources.map(({ topic }) => topic))
      await cluster.load(topics)
      return assignMembers(topology, countsOf(cluster, topics), members, fingerprint)
    },
    onAssignment(_, userData) {
      if (userData === null || userData.length === 0) return
      const { awaited, endpoints } = decodeNotice(userData)
      onEndpoints?.(endpoints)
      // A static member that restarts may get its predecessor's assignment, in which its new endpoint is not known.
      const isUnknown = endpoint !== undefined && endpoints[endpoint] === undefined
      if (awaited || isUnknown) onAwaited()
    },
  }
}

function assignMembers(
  topology: Topology,
  counts: PartitionCounts,
  members: readonly GroupMember[],
  fingerprint: string,
): Map<string, MemberAssignment> {
  const inputs = new Map(
    allTasks(topology, counts).map((id) => [formatTaskId(id), inputsOf(topology, counts, id)] as const),
  )
  const present = members.map((member) => describeMember(topology, member, inputs, fingerprint))
  const assigned = assignTasks([...inputs.keys()], present)
  const awaited = awaitedMembers(assigned, present)
  const given = withholdMoving(assigned, present)
  const endpoints = endpointsOf(members, given)
  return new Map(
    [...given].map(([id, names]) => {
      const partitions = names.flatMap((task) => inputs.get(task)!)
      return [id, { partitions, userData: encodeNotice({ awaited: awaited.has(id), endpoints }) }]
    }),
  )
}

function endpointsOf(members: readonly GroupMember[], given: ReadonlyMap<string, readonly string[]>): TaskEndpoints {
  return Object.fromEntries(
    members.flatMap(({ memberId, userData }) => {
      const { endpoint } = decodeData(userData)
      return endpoint === undefined ? [] : [[endpoint, given.get(memberId) ?? []]]
    }),
  )
}

function describeMember(
  topology: Topology,
  member: GroupMember,
  inputs: ReadonlyMap<string, readonly TopicPartition[]>,
  fingerprint: string,
): AssignedMember {
  const data = decodeData(member.userData)
  if (data.fingerprint !== fingerprint) {
    throw new PipelineError(
      `application "${topology.applicationId}": process ${data.processId} runs another version of the pipeline; ` +
        "stop one of them, or give it its own applicationId",
    )
  }
  const owned = new Set(member.ownedPartitions.map(nameOf))
  const running = [...inputs].filter(([, partitions]) => partitions.some((one) => owned.has(nameOf(one))))
  return {
    id: member.memberId,
    stableName: data.processId,
    running: running.map(([task]) => task),
    stored: data.stored.filter((task) => inputs.has(task)),
  }
}

function countsOf(cluster: AssignorCluster, topics: readonly string[]): PartitionCounts {
  const counts = new Map<string, number>()
  for (const topic of topics) {
    const count = cluster.partitionCount(topic)
    if (count !== undefined) counts.set(topic, count)
  }
  return counts
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`

const encodeData = (data: MemberData): Uint8Array => Buffer.from(JSON.stringify({ v: VERSION, ...data }))

function decodeData(bytes: Uint8Array | null): MemberData {
  const { v, processId, fingerprint, stored, endpoint } = JSON.parse(Buffer.from(bytes ?? []).toString("utf8") || "{}")
  if (v !== VERSION)
    throw new PipelineError(`a member of the group speaks version ${v} of the assignor, this is ${VERSION}`)
  return { processId, fingerprint, stored: stored ?? [], ...(typeof endpoint === "string" && { endpoint }) }
}

/** What the leader tells a member beside its partitions. */
interface Notice {
  readonly awaited: boolean
  readonly endpoints: TaskEndpoints
}

const encodeNotice = (notice: Notice): Uint8Array => Buffer.from(JSON.stringify({ v: VERSION, ...notice }))

function decodeNotice(bytes: Uint8Array): Notice {
  const { v, awaited, endpoints } = JSON.parse(Buffer.from(bytes).toString("utf8"))
  return v === VERSION ? { awaited: awaited === true, endpoints: endpoints ?? {} } : { awaited: false, endpoints: {} }
}

/** FNV-1a, 32 bits: tells plans apart, protects nothing. */
function fingerprintOf(text: string): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16)
}

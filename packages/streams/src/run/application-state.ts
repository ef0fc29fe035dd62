/**
 * What the group's leader knows, as an assignor of one's own is told it (KIP-924).
 */
import type { AssignorCluster, TopicPartition } from "@millrace/client"
import { type AssignedMember, type AssignedTask, type AssignmentRules, assignTasks } from "../assignment/assignment.ts"
import { ofProcesses } from "../assignment/seats.ts"
import type { ApplicationState, ProcessState, TaskInfo, TaskPartition } from "../assignment/task-assignor.ts"
import { parseTaskId, type TaskId } from "../topology/naming.ts"
import { isLogged } from "../topology/node.ts"
import type { PartitionCounts } from "../topology/partitions.ts"
import type { Topology } from "../topology/topology.ts"
import { inputsOf } from "./task-factory.ts"

/** The changelog partitions of a task. */
export const changelogsOf = ({ subtopologies }: Topology, { subtopology, partition }: TaskId): TopicPartition[] =>
  subtopologies[subtopology]!.stores.filter(isLogged).map(({ changelog }) => ({ topic: changelog, partition }))

export const changelogTopics = ({ subtopologies }: Topology): string[] =>
  subtopologies.flatMap(({ stores }) => stores.filter(isLogged).map(({ changelog }) => changelog))

/** The racks that leaders are on, one for each partition whose leader tells it. */
export const leaderRacks = (cluster: AssignorCluster, partitions: readonly TopicPartition[]): string[] =>
  partitions.flatMap((partition) => rackOfLeader(cluster, partition) ?? [])

const rackOfLeader = (cluster: AssignorCluster, { topic, partition }: TopicPartition): string | undefined =>
  cluster.rack(cluster.partitions(topic)[partition]?.leader ?? -1) ?? undefined

function located(cluster: AssignorCluster, { topic, partition }: TopicPartition): TaskPartition {
  const replicas = cluster.partitions(topic)[partition]?.replicas ?? []
  return {
    topic,
    partition,
    leaderRack: rackOfLeader(cluster, { topic, partition }),
    racks: [...new Set(replicas.flatMap((node) => cluster.rack(node) ?? []))],
  }
}

export interface LeaderKnows {
  readonly topology: Topology
  readonly partitions: PartitionCounts
  readonly cluster: AssignorCluster
  readonly tasks: readonly AssignedTask[]
  readonly members: readonly AssignedMember[]
  /** Where processes answer queries. */
  readonly endpoints: ReadonlyMap<string, string>
  readonly rules: AssignmentRules
}

export function applicationState(leader: LeaderKnows): ApplicationState {
  const { topology, tasks, members, rules } = leader
  const processes = Map.groupBy(members, ({ processId }) => processId)
  return {
    applicationId: topology.applicationId,
    tasks: new Map(tasks.map((task) => [task.name, taskInfo(task, leader)])),
    processes: new Map([...processes].map(([processId, threads]) => [processId, processState(threads, leader)])),
    rules: rulesAlone(rules),
    builtIn: () => ofProcesses(assignTasks(tasks, members, rules), members),
  }
}

function taskInfo({ name, isStateful, stateRecords }: AssignedTask, leader: LeaderKnows): TaskInfo {
  const { topology, partitions, cluster } = leader
  const id = parseTaskId(name)
  return {
    name,
    id,
    isStateful,
    stores: topology.subtopologies[id.subtopology]!.stores.map((store) => store.name),
    inputs: inputsOf(topology, partitions, id).map((input) => located(cluster, input)),
    changelogs: changelogsOf(topology, id).map((changelog) => located(cluster, changelog)),
    stateRecords,
  }
}

function processState(threads: readonly AssignedMember[], { tasks, endpoints }: LeaderKnows): ProcessState {
  const [{ processId, rack, tags }] = threads as [AssignedMember, ...AssignedMember[]]
  const active = threads.flatMap(({ running }) => running)
  const lag = ({ name, stateRecords }: AssignedTask) =>
    active.includes(name) ? 0 : Math.min(stateRecords, ...threads.map(({ lags }) => lags.get(name) ?? stateRecords))
  const stateful = tasks.filter(({ isStateful }) => isStateful)
  return {
    processId,
    workers: threads.length,
    rack,
    tags,
    endpoint: endpoints.get(processId),
    active,
    standby: threads.flatMap(({ standing }) => standing),
    lags: new Map(stateful.map((task) => [task.name, lag(task)])),
  }
}

/** Of the options that a run has, those that are told. */
const rulesAlone = (rules: AssignmentRules): AssignmentRules => ({
  standbyReplicas: rules.standbyReplicas,
  acceptableRecoveryLag: rules.acceptableRecoveryLag,
  maxWarmupReplicas: rules.maxWarmupReplicas,
  rackAwareAssignmentTags: rules.rackAwareAssignmentTags,
  rackAwareAssignmentStrategy: rules.rackAwareAssignmentStrategy,
  rackAwareAssignmentTrafficCost: rules.rackAwareAssignmentTrafficCost,
  rackAwareAssignmentNonOverlapCost: rules.rackAwareAssignmentNonOverlapCost,
})

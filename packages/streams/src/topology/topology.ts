/**
 * The physical topology: a plan made concrete for one application id.
 *
 * It falls apart into sub-topologies at repartition topics: nodes stay together when records flow between them in
 * memory, when they share a store, or when they read one topic. Each sub-topology runs as one task per partition.
 */
import type { Serde } from "@millrace/schema"
import type { FailureHandler, FailureHandlers } from "../dsl/failure.ts"
import type { OperatorWrapper } from "../dsl/wrap.ts"
import { isGlobal, type LogicalNode, type StoreSpec } from "./node.ts"
import { changelogTopic, repartitionTopic } from "./naming.ts"
import type { BoundPlan, Plan, PlanNode } from "./plan.ts"
import { computeLevels } from "./levels.ts"
import { StoreUsers } from "./store-users.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import { packed } from "../serde/packed.ts"

export interface PhysicalNode {
  readonly id: number
  readonly kind: string
  readonly name: string
  readonly logical: LogicalNode
  readonly inputs: readonly PhysicalNode[]
  readonly reads: readonly PhysicalNode[]
  /** A node that it feeds through two inputs is there twice. */
  readonly outputs: readonly PhysicalNode[]
  /** How many suspending operators lie before it, at most: see levels.ts. */
  readonly level: number
  /** A suspending operator follows in the same sub-topology, so that values it emits outlive the call. */
  readonly outlived: boolean
  /** Some operator that its changes reach reads the value before the change. */
  readonly needsOld: boolean
  /** Sources and sinks: the topic's full name. */
  readonly topic: string | undefined
  /** The stores that it owns or shares. */
  readonly stores: readonly PhysicalStore[]
  readonly key: Serde<any>
  readonly value: Serde<any>
  /** What becomes of records that fail here; undefined: they fail the run. */
  readonly onFailure: FailureHandler | undefined
  /** Of a global store: what becomes of records that do not decode. */
  readonly onDecodeFailure: FailureHandler | undefined
  /** Around it, as around all. */
  readonly wrap: OperatorWrapper | undefined
}

export interface PhysicalStore extends StoreSpec {
  readonly key: Serde<any>
  readonly value: Serde<any>
  readonly changelog: string
  /** What is read is a copy: a callback that throws may have changed it in place, and its record is skipped. */
  readonly copies?: boolean
}

/** What every process keeps of a topic. */
export interface GlobalStoreSpec extends PhysicalStore {
  readonly topic: string
  readonly node: PhysicalNode
}

export interface SourceTopic {
  readonly topic: string
  /** A repartition topic: created, purged and read with its upstream tasks' times. */
  readonly repartition: boolean
  readonly node: PhysicalNode
}

export interface RepartitionTopic {
  readonly topic: string
  readonly partitions: number | undefined
  readonly upstream: number
  readonly downstream: number
}

export interface SubTopology {
  readonly id: number
  readonly nodes: readonly PhysicalNode[]
  readonly sources: readonly SourceTopic[]
  readonly stores: readonly PhysicalStore[]
  /** Topics that must have the same number of partitions, because keys of one meet keys of the other. */
  readonly copartitioned: ReadonlyArray<readonly string[]>
  readonly levels: number
}

export interface Topology {
  readonly applicationId: string
  readonly plan: Plan
  readonly nodes: readonly PhysicalNode[]
  readonly subtopologies: readonly SubTopology[]
  readonly repartitions: readonly RepartitionTopic[]
  /** Of global tables, whose topics are their changelogs, and global stores: the process's, in no sub-topology. */
  readonly globals: readonly GlobalStoreSpec[]
}

type Draft = { -readonly [K in keyof PhysicalNode]: PhysicalNode[K] } & { outputs: PhysicalNode[] }

export function makeTopology(bound: BoundPlan, applicationId: string): Topology {
  const { plan, bindings } = bound
  const nodes: Draft[] = []
  for (const planned of plan.nodes) {
    nodes.push(draft(planned, bindings[planned.id]!, nodes, applicationId, bound))
  }
  for (const node of nodes) for (const input of node.inputs) (input as Draft).outputs.push(node)
  const levels = computeLevels(nodes)
  for (const node of nodes) node.level = levels[node.id]!
  for (const node of nodes) {
    node.outlived = leadsTo(node, ({ logical }) => logical.operator.suspends === true)
    // An operator with a store finds the value before there.
    node.needsOld = leadsTo(
      node,
      ({ logical }) => logical.operator.readsOld === true,
      ({ stores }) => stores.length > 0,
    )
  }
  const groups = group(nodes)
  const subtopologies = groups.map((members, id) => subtopology(id, members))
  const owner = new Map(subtopologies.flatMap((one) => one.nodes.map((node) => [node.id, one.id] as const)))
  const repartitions = nodes
    .filter((node) => node.kind === "repartition-source")
    .map((node) => ({
      topic: node.topic!,
      partitions: node.logical.options["partitions"] as number | undefined,
      upstream: owner.get(node.logical.options["from"] as number)!,
      downstream: owner.get(node.id)!,
    }))
  const globals = nodes
    .filter(({ logical }) => isGlobal(logical))
    .flatMap((node) => node.stores.map((store) => ({ ...store, topic: node.topic!, node })))
  return { applicationId, plan, nodes, subtopologies, repartitions, globals }
}

function draft(
  planned: PlanNode,
  logical: LogicalNode,
  nodes: readonly Draft[],
  applicationId: string,
  { failures, wrap }: Pick<BoundPlan, "failures" | "wrap">,
): Draft {
  const onFailure = handlerOf(logical, failures)
  const topic = logical.options["topic"] as string | undefined
  return {
    id: planned.id,
    kind: planned.kind,
    name: planned.name,
    logical,
    inputs: planned.inputs.map((id) => nodes[id]!),
    reads: planned.reads.map((id) => nodes[id]!),
    outputs: [],
    level: 0,
    outlived: false,
    needsOld: false,
    topic:
      topic !== undefined && planned.kind.startsWith("repartition") ? repartitionTopic(applicationId, topic) : topic,
    stores: logical.stores.map((store) => ({
      ...store,
      key: store.key ?? canonicalKey,
      value: store.value ?? packed,
      changelog: planned.kind === "global-table" ? topic! : changelogTopic(applicationId, store.name),
      ...(onFailure !== undefined && { copies: true }),
    })),
    key: logical.key ?? canonicalKey,
    value: logical.value ?? packed,
    onFailure,
    onDecodeFailure: decodeHandlerOf(logical, failures),
    wrap,
  }
}

function handlerOf({ operator, functions }: LogicalNode, failures: FailureHandlers): FailureHandler | undefined {
  const own = functions["onRecordFailure"]?.() as FailureHandler | undefined
  const handler = own ?? failures[FAILURES_OF[operator.kind] ?? "onProcessingFailure"]
  // What we wrote ourselves and cannot read is no matter of one record.
  return handler === "fail" || operator.kind === "repartition-source" ? undefined : handler
}

function decodeHandlerOf({ operator, functions }: LogicalNode, failures: FailureHandlers): FailureHandler | undefined {
  if (operator.kind !== "global-store") return undefined
  return (functions["onDecodeFailure"]?.() as FailureHandler | undefined) ?? failures.onDeserializationFailure
}

const FAILURES_OF: { readonly [kind: string]: keyof FailureHandlers } = {
  source: "onDeserializationFailure",
  "global-table": "onDeserializationFailure",
  to: "onProductionFailure",
  "repartition-sink": "onProductionFailure",
}

/** Whether some path from it, up to what ends the path, leads to such a node. */
function leadsTo(
  node: PhysicalNode,
  test: (node: PhysicalNode) => boolean,
  ends: (node: PhysicalNode) => boolean = () => false,
): boolean {
  const seen = new Set<PhysicalNode>()
  const reach = (from: PhysicalNode): boolean =>
    from.outputs.some((output) => {
      if (seen.has(output)) return false
      seen.add(output)
      return test(output) || (!ends(output) && reach(output))
    })
  return reach(node)
}

/** Connected components, each in plan order, ordered by their first node. */
function group(nodes: readonly PhysicalNode[]): PhysicalNode[][] {
  const parent = nodes.map((_, id) => id)
  const root = (id: number): number => {
    while (parent[id] !== id) id = parent[id]!
    return id
  }
  const join = (left: number, right: number) => {
    const [first, second] = [root(left), root(right)].sort((a, b) => a - b)
    parent[second!] = first!
  }
  const inTasks = nodes.filter((node) => !isGlobal(node.logical))
  const users = new StoreUsers(nodes)
  for (const node of inTasks) {
    for (const other of [...node.inputs, ...node.reads, ...users.beside(node)]) {
      if (!isGlobal(other.logical)) join(node.id, other.id)
    }
  }
  const members = new Map<number, PhysicalNode[]>()
  for (const node of inTasks) {
    const of = root(node.id)
    const list = members.get(of)
    if (list) list.push(node)
    else members.set(of, [node])
  }
  return [...members.values()].sort((left, right) => left[0]!.id - right[0]!.id)
}

function subtopology(id: number, nodes: readonly PhysicalNode[]): SubTopology {
  const sources = nodes
    .filter((node) => node.kind === "source" || node.kind === "repartition-source")
    .map((node) => ({ topic: node.topic!, repartition: node.kind === "repartition-source", node }))
    .sort((left, right) => Number(isTable(right.node)) - Number(isTable(left.node)))
  return {
    id,
    nodes,
    sources,
    stores: [...new Map(nodes.flatMap((node) => node.stores).map((store) => [store.name, store])).values()],
    copartitioned: copartitionGroups(nodes),
    levels: nodes.reduce((most, node) => Math.max(most, node.level + (node.logical.operator.suspends ? 1 : 0)), 0),
  }
}

/** Tables come first, so that of records with one timestamp a row is there before the stream record that looks for it. */
const isTable = (source: PhysicalNode): boolean =>
  source.outputs.every(({ kind }) => kind === "table" || kind === "to-table")

/**
 * All topics whose records reach one operator that depends on the key: through edges, a table it reads, or a store that it
 * shares with another.
 */
function copartitionGroups(nodes: readonly PhysicalNode[]): string[][] {
  const groups: string[][] = []
  const users = new StoreUsers(nodes)
  for (const node of nodes) {
    if (node.logical.operator.keyDependent !== true) continue
    const topics = new Set<string>()
    const seen = new Set<PhysicalNode>()
    const reach = (from: PhysicalNode) => {
      if (seen.has(from)) return
      seen.add(from)
      if (from.topic !== undefined && from.inputs.length === 0) topics.add(from.topic)
      for (const input of [...from.inputs, ...from.reads]) if (!isGlobal(input.logical)) reach(input)
    }
    for (const one of [node, ...users.beside(node)]) reach(one)
    if (topics.size > 1) groups.push([...topics].sort())
  }
  return groups
}

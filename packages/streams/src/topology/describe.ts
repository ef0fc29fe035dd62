/**
 * A topology as text (the shape of Kafka Streams' own), as a mermaid flowchart, and as JSON.
 */
import { isGlobal } from "./node.ts"
import { deadLetterTopics, lateTopics, type SideTopic } from "./side-topics.ts"
import type { GlobalStoreSpec, PhysicalNode, PhysicalStore, Topology } from "./topology.ts"

export type DescribeFormat = "text" | "mermaid" | "json"

export function describeTopology(topology: Topology, format: DescribeFormat): string {
  if (format === "json") return JSON.stringify(describeJson(topology), undefined, 2)
  return format === "mermaid" ? describeMermaid(topology) : describeText(topology)
}

export function describeJson(topology: Topology) {
  return {
    applicationId: topology.applicationId,
    pipeline: topology.plan.pipeline,
    subtopologies: topology.subtopologies.map(({ id, nodes, sources, stores, copartitioned }) => ({
      id,
      nodes: nodes.map((node) => node.id),
      sources: sources.map(({ topic }) => topic),
      stores: stores.map(storeJson),
      copartitioned,
    })),
    repartitions: topology.repartitions,
    globalTables: topology.globals.map(globalJson),
    lateRecords: lateTopics(topology).map(sideJson),
    deadLetters: deadLetterTopics(topology).map(sideJson),
    plan: topology.plan,
  }
}

const storeJson = ({ name, kind, key, value, changelog, retentionMs }: PhysicalStore) => ({
  name,
  kind,
  key: key.name,
  value: value.name,
  changelog,
  ...(retentionMs !== undefined && { retentionMs }),
})

const globalJson = (store: GlobalStoreSpec) => ({ ...storeJson(store), kind: store.node.kind, changelog: store.topic })

const sideJson = ({ topic, operators }: SideTopic) => ({ topic, operators: operators.map(({ name }) => name) })

/**
 * What Kafka Streams' text leaves out, below it, so that tools that draw that text still can: serdes of topics and stores,
 * changelogs, who feeds whom through repartition topics, and what is written beside the sinks.
 */
function describeMore(topology: Topology): string[] {
  const { nodes, subtopologies, repartitions, globals } = topology
  const side = ({ topic, operators }: SideTopic) => `   ${topic}: of ${names(operators)}`
  const topics = nodes.filter((node) => node.topic !== undefined && (isSource(node) || isSink(node)))
  const serdes = new Map(topics.map(({ topic, key, value }) => [topic!, `${key.name} -> ${value.name}`]))
  const stores = subtopologies.flatMap((one) => one.stores.map((store) => ({ store, where: `sub-topology ${one.id}` })))
  const all = [
    ...stores,
    ...globals.map((store) => ({ store: { ...store, changelog: store.topic }, where: placeOf(store) })),
  ]
  return [
    "Topics:",
    ...[...serdes].map(([topic, serde]) => `   ${topic}: ${serde}`),
    ...section(
      "Stores:",
      all.map(({ store: { name, kind, key, value, changelog, retentionMs }, where }) => {
        const kept = retentionMs === undefined ? "" : `, kept ${retentionMs} ms`
        return `   ${name} (${where}): ${kind}, ${key.name} -> ${value.name}${kept}, changelog ${changelog}`
      }),
    ),
    ...section(
      "Repartition topics:",
      repartitions.map(
        ({ topic, upstream, downstream, partitions }) =>
          `   ${topic}: sub-topology ${upstream} -> ${downstream}, ${partitions === undefined ? "as many partitions as the topics it meets" : `${partitions} partitions`}`,
      ),
    ),
    ...section("Late records:", lateTopics(topology).map(side)),
    ...section("Dead letters:", deadLetterTopics(topology).map(side)),
  ]
}

const placeOf = ({ node }: GlobalStoreSpec): string =>
  `global ${node.kind === "global-store" ? "store" : "table"}, in every process`

const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ["", title, ...lines])

function describeText(topology: Topology): string {
  const lines = ["Topologies:"]
  for (const { id, nodes } of topology.subtopologies) {
    lines.push(`   Sub-topology: ${id}`)
    for (const node of nodes) lines.push(...describeNode(node))
    lines.push("")
  }
  return [...lines, ...describeMore(topology)].join("\n")
}

function describeNode(node: PhysicalNode): string[] {
  const inputs = `      <-- ${names(node.inputs)}`
  const outputs = `      --> ${names(node.outputs)}`
  if (isSource(node)) return [`    Source: ${node.name} (topics: [${node.topic}])`, outputs]
  if (isSink(node)) return [`    Sink: ${node.name} (topic: ${node.topic ?? "chosen per record"})`, inputs]
  const stores = [node, ...node.reads].flatMap((one) => one.stores.map((store) => store.name))
  return [`    Processor: ${node.name} (stores: [${stores.join(", ")}])`, outputs, inputs]
}

const names = (nodes: readonly PhysicalNode[]): string =>
  nodes.length === 0 ? "none" : nodes.map((node) => node.name).join(", ")

const isSource = (node: PhysicalNode): boolean => node.kind === "source" || node.kind === "repartition-source"
const isSink = (node: PhysicalNode): boolean => node.kind === "to" || node.kind === "repartition-sink"

const storeId = (node: PhysicalNode, index: number): string => `store${node.id}_${index}`

function describeMermaid(topology: Topology): string {
  const lines = ["flowchart LR"]
  const topics = new Set<string>()
  for (const { id, nodes } of topology.subtopologies) {
    lines.push(`  subgraph s${id}["sub-topology ${id}"]`)
    for (const node of nodes) {
      lines.push(`    n${node.id}["${node.name}"]`)
      for (const [index, { name }] of node.stores.entries())
        lines.push(`    ${storeId(node, index)}[("${name}")]`, `    n${node.id} --- ${storeId(node, index)}`)
    }
    lines.push("  end")
  }
  const topicId = (topic: string) => {
    const id = `t${[...topics].indexOf(topic)}`
    return `${id}[/"${topic}"/]`
  }
  for (const node of topology.nodes) {
    if (isGlobal(node.logical)) {
      topics.add(node.topic!)
      lines.push(
        `  ${storeId(node, 0)}[("${node.stores[0]!.name}")]`,
        `  ${topicId(node.topic!)} --> ${storeId(node, 0)}`,
      )
    }
    if (node.topic !== undefined && (isSource(node) || isSink(node))) topics.add(node.topic)
    if (isSource(node)) lines.push(`  ${topicId(node.topic!)} --> n${node.id}`)
    if (isSink(node)) lines.push(`  n${node.id} --> ${topicId(node.topic!)}`)
    for (const input of node.inputs) lines.push(`  n${input.id} --> n${node.id}`)
    for (const read of node.reads)
      lines.push(`  ${read.stores.length > 0 ? storeId(read, 0) : `n${read.id}`} -.-> n${node.id}`)
  }
  for (const [what, all] of [
    ["late", lateTopics(topology)],
    ["dead letters", deadLetterTopics(topology)],
  ] as const) {
    for (const { topic, operators } of all) {
      topics.add(topic)
      for (const { id } of operators) lines.push(`  n${id} -. ${what} .-> ${topicId(topic)}`)
    }
  }
  return `${lines.join("\n")}\n`
}

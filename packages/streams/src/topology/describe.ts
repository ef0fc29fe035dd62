/**
 * A topology as text (the shape of Kafka Streams' own), as a mermaid flowchart, and as JSON.
 */
import type { PhysicalNode, Topology } from "./topology.ts"

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
      stores: stores.map(({ name, kind, changelog }) => ({ name, kind, changelog })),
      copartitioned,
    })),
    repartitions: topology.repartitions,
    plan: topology.plan,
  }
}

function describeText(topology: Topology): string {
  const lines = ["Topologies:"]
  for (const { id, nodes } of topology.subtopologies) {
    lines.push(`   Sub-topology: ${id}`)
    for (const node of nodes) lines.push(...describeNode(node))
    lines.push("")
  }
  return lines.join("\n")
}

function describeNode(node: PhysicalNode): string[] {
  const inputs = `      <-- ${names(node.inputs)}`
  const outputs = `      --> ${names(node.outputs)}`
  if (isSource(node)) return [`    Source: ${node.name} (topics: [${node.topic}])`, outputs]
  if (isSink(node)) return [`    Sink: ${node.name} (topic: ${node.topic})`, inputs]
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
    if (node.topic !== undefined && (isSource(node) || isSink(node))) topics.add(node.topic)
    if (isSource(node)) lines.push(`  ${topicId(node.topic!)} --> n${node.id}`)
    if (isSink(node)) lines.push(`  n${node.id} --> ${topicId(node.topic!)}`)
    for (const input of node.inputs) lines.push(`  n${input.id} --> n${node.id}`)
    for (const read of node.reads)
      lines.push(`  ${read.stores.length > 0 ? storeId(read, 0) : `n${read.id}`} -.-> n${node.id}`)
  }
  return `${lines.join("\n")}\n`
}

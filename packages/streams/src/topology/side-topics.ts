/**
 * Topics that a pipeline writes beside its sinks: for late records, and for dead letters where they are known before they are
 * needed.
 */
import { lateTopicOf } from "../dsl/late-to.ts"
import { isGlobal } from "./node.ts"
import type { PhysicalNode, Topology } from "./topology.ts"

export interface SideTopic {
  readonly topic: string
  readonly operators: readonly PhysicalNode[]
}

export const lateTopics = ({ nodes }: Topology): readonly SideTopic[] =>
  gathered(nodes, ({ logical }) => {
    const topic = lateTopicOf(logical)
    return topic === undefined ? [] : [topic]
  })

/** What global tables pass over is not written. */
export const deadLetterTopics = ({ nodes }: Topology): readonly SideTopic[] =>
  gathered(
    nodes.filter(({ logical }) => !isGlobal(logical)),
    ({ onFailure, logical }) => {
      const named = (logical.options["deadLetters"] as readonly string[] | undefined) ?? []
      if (typeof onFailure !== "object") return named
      const { deadLetter } = onFailure
      return [typeof deadLetter === "string" ? deadLetter : deadLetter.name, ...named]
    },
  )

function gathered(
  nodes: readonly PhysicalNode[],
  topicsOf: (node: PhysicalNode) => readonly string[],
): readonly SideTopic[] {
  const writers = nodes.flatMap((node) => [...new Set(topicsOf(node))].map((topic) => ({ topic, node })))
  return [...Map.groupBy(writers, ({ topic }) => topic)].map(([topic, all]) => ({
    topic,
    operators: all.map(({ node }) => node),
  }))
}

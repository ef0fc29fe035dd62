/**
 * Topics for late records that are given by their names get what the task read. That must be bytes that others can read too:
 * a topic's of the user's, or written by serdes that the user named. Elsewhere a name is refused before anything runs.
 *
 * Behind an operator that suspends, or holds records back, the record that was read is gone or another one; then what is
 * written is the record as it stands, by the serdes of the stream.
 */
import type { Serde } from "@millrace/schema"
import { lateDefinitionOf, lateTopicOf } from "../dsl/late-to.ts"
import { PipelineError } from "../errors.ts"
import { canonicalKey } from "../serde/canonical-key.ts"
import { packed } from "../serde/packed.ts"
import type { LogicalNode } from "./node.ts"
import type { PlanNode } from "./plan.ts"

/** `bindings[id]` is that of `nodes[id]`. */
export function checkLateTopics(pipeline: string, nodes: readonly PlanNode[], bindings: readonly LogicalNode[]): void {
  for (const [id, node] of bindings.entries()) {
    const topic = lateTopicOf(node)
    if (topic === undefined || lateDefinitionOf(node) !== undefined) continue
    for (const input of nodes[id]!.inputs) {
      const ours = serdesRead(input, nodes, bindings).flatMap((serdes) => unnamedOf(serdes))
      if (ours.length === 0) continue
      const what = [...new Set(ours)].join(" and ")
      throw new PipelineError(
        `pipeline "${pipeline}", operator "${nodes[id]!.name}": lateTo "${topic}" would get the records as they were read, ` +
          `with ${what} that only Millrace reads, since no serde is known here: give lateTo the topic's definition, ` +
          `or name the serdes at keyBy ({ key, value }) or the operator that makes the value`,
      )
    }
  }
}

interface Serdes {
  readonly key: Serde<any> | undefined
  readonly value: Serde<any> | undefined
}

/** By which the bytes of what comes by this node are written; those of the user's topics are known to be readable. */
function serdesRead(id: number, nodes: readonly PlanNode[], bindings: readonly LogicalNode[]): readonly Serdes[] {
  const found: Serdes[] = []
  const seen = new Set<number>()
  const visit = (at: number) => {
    if (seen.has(at)) return
    seen.add(at)
    const { operator, options } = bindings[at]!
    if (operator.kind === "repartition-source") found.push(bindings[at]!)
    if (operator.suspends === true || operator.holdsBack?.(options) === true) found.push(bindings[id]!)
    for (const input of nodes[at]!.inputs) visit(input)
  }
  visit(id)
  return found
}

const unnamedOf = ({ key = canonicalKey, value = packed }: Serdes): string[] => [
  ...(key === canonicalKey ? [`keys (${canonicalKey.name})`] : []),
  ...(value === packed ? [`values (${packed.name})`] : []),
]

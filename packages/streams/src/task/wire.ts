/**
 * Makes the processors of a task and joins them up as the sub-topology says, with gates on the edges that lead into a
 * higher level.
 */
import { invariant } from "@millrace/host"
import type { Processor, Receiver } from "../operators/operator.ts"
import { RepartitionReader } from "../operators/repartition-reader.ts"
import { TopicReader } from "../operators/source.ts"
import type { SourceReader } from "../operators/source-reader.ts"
import type { PhysicalNode, SubTopology } from "../topology/topology.ts"
import type { TaskContext } from "./context.ts"
import { guarded } from "./failures.ts"
import { type Gate, gated } from "./gate.ts"
import { wrapped } from "./wrapped.ts"

export interface Wiring {
  /** Of the source topics, each the head of the processors behind it. */
  readonly readers: ReadonlyMap<string, SourceReader>
  readonly processors: ReadonlyMap<PhysicalNode, Processor>
}

/** `gates[n]` guards level n + 1. */
export function wire(
  subtopology: SubTopology,
  context: TaskContext,
  gates: readonly Gate[],
  counts?: Map<string, number>,
): Wiring {
  const processors = new Map<PhysicalNode, Processor>()
  const readers = new Map<string, SourceReader>()
  for (const node of subtopology.nodes) {
    if (node.kind === "source") readers.set(node.topic!, new TopicReader(node, context))
    else if (node.kind === "repartition-source") readers.set(node.topic!, new RepartitionReader(node, context))
    else processors.set(node, node.logical.operator.make(node, context))
  }
  const receivers = (node: PhysicalNode): Receiver[] =>
    node.outputs.map((output, at) => {
      const processor = processors.get(output)
      invariant(processor !== undefined, `${output.name} follows ${node.name} in another sub-topology`)
      const from = node.level + (node.logical.operator.suspends === true ? 1 : 0)
      const input = wrapped(processor.input(inputIndex(node, at)), processor, context)
      const receiver = guarded(input, output, context)
      return gated(gates.slice(from, output.level), counts ? counted(receiver, output.name, counts) : receiver)
    })
  for (const [node, processor] of processors) processor.link(receivers(node), node.outputs)
  for (const { node, topic } of subtopology.sources) readers.get(topic)!.link(receivers(node))
  return { readers, processors }
}

function counted(receiver: Receiver, operator: string, counts: Map<string, number>): Receiver {
  counts.set(operator, 0)
  return {
    receive(record) {
      counts.set(operator, counts.get(operator)! + 1)
      receiver.receive(record)
    },
  }
}

/** Which input of the output at `at` this edge is: the nth edge between two nodes is the nth such input. */
function inputIndex(node: PhysicalNode, at: number): number {
  const output = node.outputs[at]!
  const nth = node.outputs.slice(0, at).filter((one) => one === output).length
  const edges = output.inputs.flatMap((input, index) => (input === node ? [index] : []))
  return edges[nth]!
}

/**
 * Effects need a port, and time: what a record's calls may take, retries included, must be over well before the broker would
 * abort the transaction. Calls behind others come after them: level by level, the longest timeouts add up.
 */
import { PipelineError } from "../errors.ts"
import type { EffectPort } from "../task/effects.ts"
import type { PhysicalNode, Topology } from "../topology/topology.ts"
import type { ResolvedRunOptions } from "./options.ts"

export async function checkEffects(topology: Topology, options: ResolvedRunOptions): Promise<EffectPort | undefined> {
  if (!topology.nodes.some(isCall)) return undefined
  checkTimeouts(topology, options.transactionTimeoutMs)
  if (options.effects !== undefined) return options.effects
  // Effect is loaded only by pipelines that use it.
  const { effectPort } = await import("./effects.ts")
  return effectPort(options.host.clock, options.services)
}

/** Throws a PipelineError where a record's calls might not fit into half the transaction timeout. */
export function checkTimeouts(topology: Topology, transactionTimeoutMs: number): void {
  for (const { nodes } of topology.subtopologies) {
    const slowest = new Map<number, PhysicalNode>()
    for (const node of nodes.filter(isCall)) {
      const before = slowest.get(node.level)
      if (before === undefined || timeoutOf(node) > timeoutOf(before)) slowest.set(node.level, node)
    }
    const calls = [...slowest.values()]
    const timeouts = calls.map(timeoutOf)
    if (timeouts.reduce((sum, timeoutMs) => sum + timeoutMs, 0) < transactionTimeoutMs / 2) continue
    const [who, what] =
      calls.length === 1
        ? [`operator "${calls[0]!.name}": a timeout of ${timeouts[0]} ms must`, "it"]
        : [
            `operators ${calls.map(({ name }) => `"${name}"`).join(" and ")}: timeouts of ${timeouts.join(" and ")} ms, one call behind the other, must together`,
            "them",
          ]
    throw new PipelineError(
      `pipeline "${topology.plan.pipeline}", ${who} be below half the transaction timeout of ${transactionTimeoutMs} ms: ` +
        `lower ${what}, or raise transactionTimeoutMs (transaction.timeout.ms)`,
    )
  }
}

const isCall = ({ kind }: PhysicalNode): boolean => kind === "map-effect"

const timeoutOf = ({ logical }: PhysicalNode): number => logical.options["timeoutMs"] as number

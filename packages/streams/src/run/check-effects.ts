/**
 * Effects need a port, and time: every `mapEffect` must be done, retries included, well before the broker would abort the
 * transaction.
 */
import { PipelineError } from "../errors.ts"
import type { EffectPort } from "../task/effects.ts"
import type { Topology } from "../topology/topology.ts"
import type { ResolvedRunOptions } from "./options.ts"

export async function checkEffects(topology: Topology, options: ResolvedRunOptions): Promise<EffectPort | undefined> {
  const nodes = topology.nodes.filter((node) => node.kind === "map-effect")
  if (nodes.length === 0) return undefined
  const timeoutMsMax = options.transactionTimeoutMs / 2
  for (const node of nodes) {
    const timeoutMs = node.logical.options["timeoutMs"] as number
    if (timeoutMs < timeoutMsMax) continue
    throw new PipelineError(
      `pipeline "${topology.plan.pipeline}", operator "${node.name}": a timeout of ${timeoutMs} ms must be below half the ` +
        `transaction timeout of ${options.transactionTimeoutMs} ms: lower it, or raise transactionTimeoutMs`,
    )
  }
  if (options.effects !== undefined) return options.effects
  // Effect is loaded only by pipelines that use it.
  const { effectPort } = await import("./effects.ts")
  return effectPort(options.host.clock, options.services)
}

/**
 * Sources that read all topics whose names match a pattern.
 *
 * The topics are those that exist when the run starts: tasks, changelogs and repartition topics are laid out for them. A
 * topic that begins to match later is not read in silence and not left out in silence: the run ends and says so, and reads
 * it once it is started again.
 */
import { KafkaClient } from "@millrace/client"
import { type Clock, type Timer } from "@millrace/host"
import { PipelineError } from "../errors.ts"
import type { BoundPlan } from "../topology/plan.ts"
import type { ResolvedRunOptions } from "./options.ts"

/** The plan with the topics in the place of patterns; a plan without patterns asks nobody. */
export async function resolvePatterns(plan: BoundPlan, options: ResolvedRunOptions): Promise<BoundPlan> {
  if (plan.expand === undefined) return plan
  const { host, brokers, net, security, applicationId } = options
  const client = new KafkaClient({ host, brokers, ...(net && { net }), ...(security && { security }) })
  try {
    const topics = await client.admin().listTopics()
    return plan.expand(topics.filter((topic) => !isInternal(topic, applicationId)))
  } finally {
    await client.close()
  }
}

/** A pattern that matches everything must not read what the application writes for itself. */
const isInternal = (topic: string, applicationId: string): boolean =>
  topic.startsWith("__") || (topic.startsWith(`${applicationId}-`) && /-(?:changelog|repartition)$/.test(topic))

export interface TopicWatchOptions {
  readonly plan: BoundPlan
  /** Topics that are read. */
  readonly known: ReadonlySet<string>
  readonly applicationId: string
  readonly listTopics: () => Promise<readonly string[]>
  readonly clock: Clock
  readonly intervalMs: number
  readonly onFound: (found: PipelineError) => void
}

/** Looks for topics that have begun to match; answers how to stop. Nothing to do for a plan without patterns. */
export function watchPatterns(options: TopicWatchOptions): () => void {
  const { plan, known, applicationId, listTopics, clock, intervalMs, onFound } = options
  const { patterns } = plan
  let timer: Timer | undefined
  let isStopped = patterns.length === 0
  const look = async () => {
    // A cluster that cannot be asked now is asked the next time.
    const topics = await listTopics().catch(() => [])
    const found = topics.find(
      (topic) =>
        !known.has(topic) && !isInternal(topic, applicationId) && patterns.some((pattern) => pattern.test(topic)),
    )
    if (found !== undefined && !isStopped) {
      const reason = `topic "${found}" matches a pattern and was created since the pipeline was started`
      return onFound(new PipelineError(`pipeline "${plan.plan.pipeline}": ${reason}: start it again to read it`))
    }
    arm()
  }
  const arm = () => {
    if (!isStopped) timer = clock.setTimer(intervalMs, () => void look())
  }
  arm()
  return () => {
    isStopped = true
    timer?.cancel()
  }
}

/**
 * When the partitions of a source are idle, and what event time does then: see task/idle-sources.ts.
 */
import { PipelineError } from "../errors.ts"
import { type Duration, durationMs } from "./duration.ts"

/**
 * step-aside lets the others move event time; wall-clock lets it go on by the wall clock, less `idleAfter`, so that windows
 * close without any record.
 */
export type IdlePolicy = "step-aside" | "wall-clock"

export interface IdleOptions {
  /**
   * A partition that has had no record for so long, by the wall clock, is idle: event time does not wait for it any more, and
   * what comes from it later may be late. Default: the run's `idleAfterMs`, or never.
   */
  readonly idleAfter?: Duration
  /** Default: step-aside. */
  readonly whenIdle?: IdlePolicy
}

/** As functions of a source's node; absent where nothing is said. */
export function idleFunctions(topic: string, { idleAfter, whenIdle }: IdleOptions) {
  if (whenIdle !== undefined && whenIdle !== "step-aside" && whenIdle !== "wall-clock") {
    throw new PipelineError(
      `topic "${topic}": whenIdle is "step-aside" or "wall-clock", not ${JSON.stringify(whenIdle)}`,
    )
  }
  const ms = idleAfter === undefined ? undefined : durationMs(`topic "${topic}" idleAfter`, idleAfter)
  if (ms === 0) throw new PipelineError(`topic "${topic}": idleAfter must be more than 0; leave it out for never`)
  return {
    ...(ms !== undefined && { idleAfterMs: () => ms }),
    ...(whenIdle !== undefined && { whenIdle: () => whenIdle }),
  }
}

/**
 * What becomes of an operation on one record that failed: repeat it, skip the record, or fail the task.
 *
 * The rules are Kafka Connect's: conversions and transformations are tolerated whatever they threw, every other stage
 * only when the error may pass; only errors that may pass are repeated, at first after 300 ms, doubling, and at random
 * below the maximum once that is reached.
 */
import type { Random } from "@millrace/host"

export type Stage =
  | "TRANSFORMATION"
  | "KEY_CONVERTER"
  | "VALUE_CONVERTER"
  | "HEADER_CONVERTER"
  | "KAFKA_PRODUCE"
  | "KAFKA_CONSUME"
  | "TASK_POLL"
  | "TASK_PUT"

const TOLERATED: ReadonlySet<Stage> = new Set<Stage>([
  "TRANSFORMATION",
  "KEY_CONVERTER",
  "VALUE_CONVERTER",
  "HEADER_CONVERTER",
])

export const RETRY_DELAY_MS_FIRST = 300

export interface ErrorPolicy {
  readonly tolerance: "none" | "all"
  /** 0: no repetition; -1: without end. */
  readonly retryTimeoutMs: number
  readonly retryDelayMsMax: number
}

export interface Failure {
  readonly stage: Stage
  readonly retriable: boolean
  /** Attempts made, this one included. */
  readonly attempts: number
  readonly elapsedMs: number
}

export type Verdict =
  | { readonly type: "retry"; readonly delayMs: number }
  | { readonly type: "skip" }
  | { readonly type: "fail" }

export function judge(policy: ErrorPolicy, failure: Failure, random: Random): Verdict {
  if (failure.retriable && policy.retryTimeoutMs !== 0) {
    const delayMs = retryDelayMs(policy.retryDelayMsMax, failure.attempts, random)
    const withinTime = policy.retryTimeoutMs < 0 || failure.elapsedMs + delayMs <= policy.retryTimeoutMs
    if (withinTime) return { type: "retry", delayMs }
  }
  const tolerated = policy.tolerance === "all" && (TOLERATED.has(failure.stage) || failure.retriable)
  return tolerated ? { type: "skip" } : { type: "fail" }
}

export function retryDelayMs(max: number, attempts: number, random: Random): number {
  const delayMs = RETRY_DELAY_MS_FIRST * 2 ** Math.min(attempts - 1, 40)
  return delayMs > max ? random.int(max + 1) : delayMs
}

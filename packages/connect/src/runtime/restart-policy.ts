/**
 * When a failed unit starts again by itself. Kafka Connect leaves it FAILED until somebody asks; here the default is to
 * try again with growing delays.
 */

export interface RestartPolicy {
  readonly onFailure: boolean
  readonly backoffMs: number
  readonly backoffMsMax: number
  /** Failures in a row after which it stays FAILED; -1 for no limit. */
  readonly attemptsMax: number
  /** Having run this long, the next failure counts as the first. */
  readonly resetMs: number
}

/** The delay before restart number `failures` (from 1), or undefined when it is to stay FAILED. */
export function restartDelayMs(policy: RestartPolicy, failures: number): number | undefined {
  if (!policy.onFailure || (policy.attemptsMax >= 0 && failures > policy.attemptsMax)) return undefined
  return backoffMs(policy.backoffMs, policy.backoffMsMax, failures)
}

/** `first`, doubled with every further attempt (from 1), up to `max`. */
export function backoffMs(first: number, max: number, attempt: number): number {
  return Math.min(max, first * 2 ** Math.min(attempt - 1, 52))
}

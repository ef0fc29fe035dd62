/**
 * Tries again after retriable errors, with backoff, until a deadline.
 */
import { sleep } from "@millrace/host"
import { isRetriableError, TimeoutError } from "../errors.ts"
import type { ClientEnv } from "../options.ts"
import { backoffDelay } from "./backoff.ts"

export interface RetryOptions {
  /** What is attempted, for the error: "listing offsets". */
  readonly what: string
  /** Default: the client's `defaultApiTimeoutMs`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Default: connection faults and codes that Kafka calls retriable. */
  readonly retriable?: (error: unknown) => boolean
}

/** Rejects with the first error that is not retriable, or a `TimeoutError` whose cause is the last one. */
export async function retrying<T>(env: ClientEnv, options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const timeoutMs = options.timeoutMs ?? env.defaultApiTimeoutMs
  const deadline = env.clock.monotonic() + timeoutMs
  const retriable = options.retriable ?? isRetriableError
  for (let count = 0; ; count++) {
    options.signal?.throwIfAborted()
    try {
      return await attempt()
    } catch (error) {
      if (!retriable(error)) throw error
      const delay = backoffDelay({ initialMs: env.retryBackoffMs, maxMs: env.retryBackoffMaxMs }, count, env.random)
      if (env.clock.monotonic() + delay > deadline) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new TimeoutError(`${options.what} did not succeed within ${timeoutMs} ms: ${reason}`, { cause: error })
      }
      await sleep(env.clock, delay, options.signal)
    }
  }
}

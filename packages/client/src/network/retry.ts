/**
 * Tries again after retriable errors, with backoff, until a deadline.
 */
import { sleep } from "@millrace/host"
import { isRetriableError, isUnanswered, TimeoutError } from "../errors.ts"
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

/** What is known of the attempts before this one, told by those that say when they send a change. */
export class Attempts {
  #mayBeDone = false

  /** A change was sent that no answer tells of. What it takes away may be gone by it, and then that is no error. */
  get mayBeDone(): boolean {
    return this.#mayBeDone
  }

  async sent<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer
    } catch (error) {
      this.#mayBeDone ||= isUnanswered(error)
      throw error
    }
  }
}

/** Rejects with the first error that is not retriable, or a `TimeoutError` whose cause is the last one. */
export async function retrying<T>(
  env: ClientEnv,
  options: RetryOptions,
  attempt: (attempts: Attempts) => Promise<T>,
): Promise<T> {
  const timeoutMs = options.timeoutMs ?? env.defaultApiTimeoutMs
  const deadline = env.clock.monotonic() + timeoutMs
  const retriable = options.retriable ?? isRetriableError
  const attempts = new Attempts()
  for (let count = 0; ; count++) {
    options.signal?.throwIfAborted()
    try {
      return await attempt(attempts)
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

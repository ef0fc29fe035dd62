/**
 * A source task out of an async iterable of batches: an async generator, an Effect `Stream.toAsyncIterable`, an Observable
 * through whatever makes it iterable.
 *
 * The next batch is asked for when the last one was taken, so that the source waits while the topic is slow. The end of
 * the iterable is the end of the source; stopping the task returns its iterator, which runs a generator's `finally`.
 */
import { sleep } from "@millrace/host"
import type { SourceTask, SourceTaskContext } from "./connector.ts"
import type { SourceRecord } from "./data/record.ts"

/** How long a poll waits for a batch; also how soon a pause is noticed. */
const WAIT_MS = 500

export function iterableTask(
  batches: AsyncIterable<readonly SourceRecord[]>,
  context: Pick<SourceTaskContext, "host" | "signal">,
): SourceTask {
  const iterator = batches[Symbol.asyncIterator]()
  let pending: Promise<IteratorResult<readonly SourceRecord[], unknown>> | undefined
  return {
    async poll() {
      pending ??= iterator.next()
      const waiting = new AbortController()
      const signal = AbortSignal.any([context.signal, waiting.signal])
      const timeUp = sleep(context.host.clock, WAIT_MS, signal).then(() => undefined)
      // What the race leaves behind must not surface as an unhandled rejection.
      timeUp.catch(() => undefined)
      try {
        const result = await Promise.race([pending, timeUp])
        if (!result) return []
        pending = undefined
        return result.done ? undefined : result.value
      } finally {
        waiting.abort()
      }
    },
    stop() {
      pending?.catch(() => undefined)
      // A generator that waits for data is returned when it wakes, for which it has the context's signal: not awaited.
      void iterator.return?.().catch(() => undefined)
    },
  }
}

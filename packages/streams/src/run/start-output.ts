/**
 * The transactional id is taken over when a run starts. A cluster that is away at that moment, as one that restarts, is waited
 * for as it is while tasks run: up to `taskTimeoutMs`.
 */
import { sleep } from "@millrace/host"
import type { WorkerOutput } from "./kafka-output.ts"
import type { ResolvedRunOptions } from "./options.ts"
import { isTransient } from "./transient.ts"

/** Between attempts, each of which tries for as long as a request of a transaction may take. */
const PAUSE_MS = 500

export async function startOutput(
  output: WorkerOutput,
  { host, log, taskTimeoutMs }: ResolvedRunOptions,
): Promise<void> {
  const deadline = host.clock.monotonic() + taskTimeoutMs
  for (;;) {
    try {
      return await output.start()
    } catch (failure) {
      if (!isTransient(failure) || host.clock.monotonic() > deadline) throw failure
      log(`the transactional id cannot be taken over yet, trying again: ${(failure as Error).message}`)
      await sleep(host.clock, PAUSE_MS)
    }
  }
}

/**
 * The wide pipeline as torture runs it: with state on disk, a copy of every task's, and engines that are written out so
 * often that a kill finds them in the middle of it.
 */
import { type RunHandle, run, type RunOptions } from "@millrace/streams"
import { widePipeline } from "./pipeline.ts"

export function runWide(
  application: string,
  options: Pick<RunOptions, "host" | "brokers" | "stateDir" | "groupProtocol" | "log" | "onStateChange">,
): Promise<RunHandle> {
  return run(widePipeline(application), {
    ...options,
    // In a streams group the broker says how many there are.
    ...(options.groupProtocol !== "streams" && { standbyReplicas: 1 }),
    acceptableRecoveryLag: 500,
    probingRebalanceIntervalMs: 5_000,
    sessionTimeoutMs: 10_000,
    heartbeatIntervalMs: 500,
    repartitionPurgeIntervalMs: 3_000,
    flushLimits: { memtableBytesMax: 16_384, memtableAgeMs: 100 },
  })
}

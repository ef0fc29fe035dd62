/**
 * The figures of several workers as those of one process.
 */
import { addTaskMetrics, newTaskMetrics } from "../task/metrics.ts"
import { BUCKETS_MS, type HistogramSnapshot } from "@millrace/metrics"
import type { RunMetrics } from "./report.ts"

/** Of workers that run; of those that have ended, what they counted stays. */
export function mergeMetrics(running: readonly RunMetrics[], ended: readonly RunMetrics[]): RunMetrics {
  const all = [...running, ...ended]
  const counts = newTaskMetrics()
  for (const one of all) addTaskMetrics(counts, one)
  const sum = (of: readonly RunMetrics[], pick: (one: RunMetrics) => number) =>
    of.reduce((total, one) => total + pick(one), 0)
  return {
    ...counts,
    tasks: sum(running, ({ tasks }) => tasks),
    restoringTasks: sum(running, ({ restoringTasks }) => restoringTasks),
    restoredRecords: sum(all, ({ restoredRecords }) => restoredRecords),
    standbyTasks: sum(running, ({ standbyTasks }) => standbyTasks),
    warmupTasks: sum(running, ({ warmupTasks }) => warmupTasks),
    workers: sum(running, ({ workers }) => workers),
    transactions: {
      committed: sum(all, ({ transactions }) => transactions.committed),
      aborted: sum(all, ({ transactions }) => transactions.aborted),
    },
    processRate: sum(running, ({ processRate }) => processRate),
    commitLatency: mergeHistograms(all.map(({ commitLatency }) => commitLatency)),
    perTask: running.flatMap(({ perTask }) => perTask).sort((left, right) => (left.task < right.task ? -1 : 1)),
    restoring: running.flatMap(({ restoring }) => restoring),
  }
}

const mergeHistograms = (all: readonly HistogramSnapshot[]): HistogramSnapshot => ({
  count: all.reduce((sum, { count }) => sum + count, 0),
  sumMs: all.reduce((sum, { sumMs }) => sum + sumMs, 0),
  maxMs: all.reduce((most, { maxMs }) => Math.max(most, maxMs), 0),
  buckets: BUCKETS_MS.map((_, at) => all.reduce((sum, { buckets }) => sum + buckets[at]!, 0)),
})

/**
 * The metrics of the applications of a process as Prometheus' text, with a label that tells them apart.
 */
import { prometheusText as textOf } from "@millrace/metrics"
import type { RunMetrics } from "./report.ts"
import { STREAMS_METRICS } from "./table.ts"

export const prometheusText = (applications: ReadonlyMap<string, RunMetrics>): string =>
  textOf(
    STREAMS_METRICS,
    [...applications].map(([application, source]) => ({ labels: { application }, source })),
  )

/**
 * A run's figures under the names that a cluster asks for.
 */
import { Histogram } from "@millrace/metrics"
import { expect, test } from "vitest"
import type { RunMetrics } from "../../src/metrics/report.ts"
import { STREAMS_METRICS } from "../../src/metrics/table.ts"
import { telemetryMetrics, telemetryName } from "../../src/metrics/telemetry.ts"
import { newTaskMetrics } from "../../src/task/metrics.ts"

test("O8: figures that Kafka Streams has too have its names, others names of ours", () => {
  const names = new Map(STREAMS_METRICS.metrics.map((metric) => [metric.name, telemetryName(metric)]))
  expect(names.get("process_total")).toBe("org.apache.kafka.stream.thread.process.total")
  expect(names.get("dropped_records_total")).toBe("org.apache.kafka.stream.task.dropped.records.total")
  expect(names.get("store_entries")).toBe("org.apache.kafka.stream.state.estimate.num.keys")
  expect(names.get("workers")).toBe("org.apache.kafka.stream.alive.stream.threads")
  expect(names.get("emitted_total")).toBe("millrace.streams.emitted.total")
  // An average there, a sum here.
  expect(names.get("task_record_lateness_ms_total")).toBe("millrace.streams.task.record.lateness.ms.total")
  expect(new Set(names.values()).size).toBe(names.size)
})

/** One task that runs, with a store and figures of its operators, and one that is being restored. */
function figures(): RunMetrics {
  const commitLatency = new Histogram()
  commitLatency.record(7)
  const counts = { ...newTaskMetrics(), processed: 10, emitted: 4, latenessMsSum: 30 }
  return {
    ...{ ...counts, processed: 12 },
    ...{
      tasks: 1,
      restoringTasks: 1,
      restoredRecords: 0,
      standbyTasks: 2,
      warmupTasks: 0,
      workers: 1,
      processRate: 1.5,
    },
    transactions: { committed: 3, aborted: 1 },
    commitLatency: commitLatency.snapshot(),
    perTask: [
      {
        ...counts,
        ...{ task: "0_1", buffered: 0, waiting: 0, inputLag: 5, awaited: [], operators: { count: 10 } },
        stores: [{ store: "words", entries: 6, bytes: 600 }],
      },
    ],
    restoring: [{ task: "0_2", store: "words", partition: 2, restored: 1, remaining: 8 }],
  }
}

test("O8: counters are sums and gauges are gauges, each under its application, process and thread, and its own labels", () => {
  const of = { application_id: "app", process_id: "p", thread_id: "2" }
  const told = telemetryMetrics(figures(), { applicationId: "app", identity: { processId: "p" }, worker: 2 })
  const named = (name: string) => told.filter((metric) => metric.name === name)
  const processed = "org.apache.kafka.stream.thread.process.total"
  expect(named(processed)).toEqual([{ name: processed, type: "sum", value: 12, attributes: of }])
  const lag = "org.apache.kafka.consumer.fetch.manager.records.lag"
  expect(named(lag)).toEqual([{ name: lag, type: "gauge", value: 5, attributes: { ...of, task: "0_1" } }])
  const rows = "org.apache.kafka.stream.state.estimate.num.keys"
  expect(named(rows)).toEqual([
    { name: rows, type: "gauge", value: 6, attributes: { ...of, task: "0_1", store: "words" } },
  ])
  const operator = "org.apache.kafka.stream.processor.node.process.total"
  expect(named(operator)).toEqual([
    { name: operator, type: "sum", value: 10, attributes: { ...of, task: "0_1", operator: "count" } },
  ])
  const states = named("millrace.streams.tasks").map(({ attributes, value }) => [attributes!["state"], value])
  expect(Object.fromEntries(states)).toEqual({ running: 1, restoring: 1, standby: 2, warmup: 0 })
})

test("O8: all figures are told but histograms", () => {
  const told = telemetryMetrics(figures(), { applicationId: "app", identity: { processId: "p" }, worker: 0 })
  const { metrics } = STREAMS_METRICS
  const histograms = metrics.filter(({ type }) => type === "histogram").map(({ name }) => name)
  expect(histograms).toEqual(["commit_latency_ms"])
  const others = metrics.filter(({ type }) => type !== "histogram")
  expect(new Set(told.map(({ name }) => name))).toEqual(new Set(others.map(telemetryName)))
  expect(told.find(({ name }) => name.endsWith("commit.latency.max"))).toMatchObject({ type: "gauge", value: 7 })
})

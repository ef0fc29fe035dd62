/**
 * A run's figures under the names that a cluster asks for.
 */
import { expect, test } from "vitest"
import { STREAMS_METRICS } from "../../src/metrics/table.ts"
import { telemetryName } from "../../src/metrics/telemetry.ts"

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

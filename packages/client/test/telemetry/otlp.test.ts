/**
 * Metrics in OpenTelemetry's protobuf: read back by the wire format alone. OpenTelemetry's own classes read them in
 * e2e/telemetry.e2e.ts.
 */
import { expect, test } from "vitest"
import { SumLedger, type TelemetryMetric } from "../../src/telemetry/metric.ts"
import { encodeMetrics } from "../../src/telemetry/otlp.ts"
import { readMetrics } from "../support/otlp-reader.ts"

const sum: TelemetryMetric = { name: "org.apache.kafka.consumer.connection.creation.total", type: "sum", value: 300 }
const gauge: TelemetryMetric = { name: "é", type: "gauge", value: -1.5, attributes: { node_id: "node-1", task: "0_3" } }

test("O8: sums and gauges are read as they were written", () => {
  const resource = { group_id: "g".repeat(300) }
  const encoded = encodeMetrics({
    resource,
    metrics: [sum, gauge],
    startedAt: 1_700_000_000_000,
    now: 1_700_000_000_123,
    isDelta: false,
  })
  expect(readMetrics(encoded)).toEqual({
    resource,
    metrics: [
      {
        name: sum.name,
        kind: "sum 2 1",
        value: 300,
        startedAt: 1_700_000_000_000_000_000n,
        at: 1_700_000_000_123_000_000n,
        attributes: {},
      },
      {
        name: "é",
        kind: "gauge",
        value: -1.5,
        startedAt: undefined,
        at: 1_700_000_000_123_000_000n,
        attributes: gauge.attributes,
      },
    ],
  })
  const delta = encodeMetrics({ resource: {}, metrics: [sum], startedAt: 5, now: 6, isDelta: true })
  expect(readMetrics(delta).metrics[0]).toMatchObject({ kind: "sum 1 1", startedAt: 5_000_000n })
})

test("O8: what was added is counted from the last push that arrived", () => {
  const ledger = new SumLedger()
  const at = (value: number) => ledger.added([{ ...sum, value }, gauge]).map((one) => one.value)
  expect(at(10)).toEqual([10, -1.5])
  expect(at(12)).toEqual([12, -1.5])
  ledger.arrived()
  expect(at(15)).toEqual([3, -1.5])
  ledger.arrived()
  expect(at(15)).toEqual([0, -1.5])
})

test("O8: a sum that counts from 0 again is told as what it counts, and what is gone is forgotten", () => {
  const ledger = new SumLedger()
  const told = (...metrics: TelemetryMetric[]) => {
    const values = ledger.added(metrics).map((one) => one.value)
    ledger.arrived()
    return values
  }
  const task = (name: string, value: number): TelemetryMetric => ({ ...sum, value, attributes: { task: name } })
  expect(told(task("0_0", 5), task("0_1", 1_000_000))).toEqual([5, 1_000_000])
  // Away and back between two pushes.
  expect(told(task("0_0", 6), task("0_1", 10))).toEqual([1, 10])
  expect(told(task("0_0", 8), task("0_1", 15))).toEqual([2, 5])
  // Away for a push: by the next it has counted more than was told of it before.
  expect(told(task("0_0", 8))).toEqual([0])
  expect(told(task("0_0", 9), task("0_1", 20))).toEqual([1, 20])
})

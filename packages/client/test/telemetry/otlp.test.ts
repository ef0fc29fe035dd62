/**
 * Metrics in OpenTelemetry's protobuf: read back by the wire format alone. OpenTelemetry's own classes read them in
 * e2e/telemetry.e2e.ts.
 */
import { expect, test } from "vitest"
import { SumLedger, type TelemetryMetric } from "../../src/telemetry/metric.ts"
import { encodeMetrics } from "../../src/telemetry/otlp.ts"

/** Of a message: the contents of its fields, by number. */
function fields(bytes: Buffer): Map<number, (Buffer | number)[]> {
  const found = new Map<number, (Buffer | number)[]>()
  let at = 0
  const varint = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const [field, kind] = [Math.floor(tag / 8), tag % 8]
    const length = kind === 1 ? 8 : kind === 2 ? varint() : 0
    const value = kind === 0 ? varint() : bytes.subarray(at, (at += length))
    found.set(field, [...(found.get(field) ?? []), value])
  }
  return found
}

const inside = (bytes: Buffer, ...path: number[]): Buffer =>
  path.reduce((one, field) => fields(one).get(field)![0] as Buffer, bytes)

const attributes = (list: readonly (Buffer | number)[] = []) =>
  Object.fromEntries(list.map((one) => [String(inside(one as Buffer, 1)), String(inside(one as Buffer, 2, 1))]))

function read(bytes: Uint8Array) {
  const resource = inside(Buffer.from(bytes), 1)
  const metrics = fields(inside(resource, 2)).get(2) ?? []
  return {
    resource: attributes(fields(inside(resource, 1)).get(1)),
    metrics: metrics.map((metric) => {
      const of = fields(metric as Buffer)
      const data = (of.get(7) ?? of.get(5))![0] as Buffer
      const point = fields(inside(data, 1))
      return {
        name: String(of.get(1)![0]),
        kind: of.has(7) ? `sum ${String(fields(data).get(2)![0])} ${String(fields(data).get(3)![0])}` : "gauge",
        value: (point.get(4)![0] as Buffer).readDoubleLE(),
        startedAt: (point.get(2)?.[0] as Buffer | undefined)?.readBigUInt64LE(),
        at: (point.get(3)![0] as Buffer).readBigUInt64LE(),
        attributes: attributes(point.get(7)),
      }
    }),
  }
}

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
  expect(read(encoded)).toEqual({
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
  expect(read(delta).metrics[0]).toMatchObject({ kind: "sum 1 1", startedAt: 5_000_000n })
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

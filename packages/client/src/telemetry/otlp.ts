/**
 * Metrics as OpenTelemetry's `MetricsData` in protobuf, which is what brokers take (KIP-714): one resource, one scope, a data
 * point for each metric.
 *
 * Only what these messages need of protobuf's wire format: a tag is the field's number and kind; messages, strings and their
 * like are preceded by their length; doubles and 64-bit times are eight bytes, the lowest first.
 */
import type { TelemetryMetric } from "./metric.ts"

export interface OtlpBatch {
  /** Of the client: its group, say. */
  readonly resource: Readonly<Record<string, string>>
  readonly metrics: readonly TelemetryMetric[]
  /** Since when sums count. */
  readonly startedAt: number
  readonly now: number
  /** Sums are what was added since `startedAt`, and that is when the last push was. */
  readonly isDelta: boolean
}

const VARINT = 0
const EIGHT_BYTES = 1
const DELIMITED = 2
const NANOS_PER_MS = 1_000_000n
const DELTA = 1
const CUMULATIVE = 2

/** Field numbers as in opentelemetry-proto, metrics/v1 and common/v1. */
const FIELD = {
  data: { resourceMetrics: 1 },
  resourceMetrics: { resource: 1, scopeMetrics: 2 },
  resource: { attributes: 1 },
  scopeMetrics: { scope: 1, metrics: 2 },
  scope: { name: 1 },
  metric: { name: 1, gauge: 5, sum: 7 },
  gauge: { dataPoints: 1 },
  sum: { dataPoints: 1, temporality: 2, isMonotonic: 3 },
  dataPoint: { startedAt: 2, at: 3, asDouble: 4, attributes: 7 },
  keyValue: { key: 1, value: 2 },
  anyValue: { string: 1 },
} as const

const SCOPE = "millrace"

export function encodeMetrics(batch: OtlpBatch): Uint8Array {
  const { resource, metrics } = batch
  const scope = [
    message(FIELD.scopeMetrics.scope, [text(FIELD.scope.name, SCOPE)]),
    ...metrics.map((metric) => message(FIELD.scopeMetrics.metrics, encodeMetric(metric, batch))),
  ]
  const all = [
    message(FIELD.resourceMetrics.resource, attributes(FIELD.resource.attributes, resource)),
    message(FIELD.resourceMetrics.scopeMetrics, scope),
  ]
  return message(FIELD.data.resourceMetrics, all)
}

function encodeMetric(metric: TelemetryMetric, { startedAt, now, isDelta }: OtlpBatch): Uint8Array[] {
  const { name, type, value } = metric
  const point = [
    ...(type === "sum" ? [time(FIELD.dataPoint.startedAt, startedAt)] : []),
    time(FIELD.dataPoint.at, now),
    double(FIELD.dataPoint.asDouble, value),
    ...attributes(FIELD.dataPoint.attributes, metric.attributes ?? {}),
  ]
  const data =
    type === "gauge"
      ? message(FIELD.metric.gauge, [message(FIELD.gauge.dataPoints, point)])
      : message(FIELD.metric.sum, [
          message(FIELD.sum.dataPoints, point),
          number(FIELD.sum.temporality, isDelta ? DELTA : CUMULATIVE),
          number(FIELD.sum.isMonotonic, 1),
        ])
  return [text(FIELD.metric.name, name), data]
}

const attributes = (field: number, of: Readonly<Record<string, string>>): Uint8Array[] =>
  Object.entries(of).map(([key, value]) =>
    message(field, [
      text(FIELD.keyValue.key, key),
      message(FIELD.keyValue.value, [text(FIELD.anyValue.string, value)]),
    ]),
  )

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([tag(field, DELIMITED), varint(length), ...parts])
}

function text(field: number, value: string): Uint8Array {
  return message(field, [Buffer.from(value, "utf8")])
}

const number = (field: number, value: number): Uint8Array => Buffer.concat([tag(field, VARINT), varint(value)])

function double(field: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([tag(field, EIGHT_BYTES), bytes])
}

/** Nanoseconds since 1970 do not fit into a number. */
function time(field: number, ms: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(Math.trunc(ms)) * NANOS_PER_MS)
  return Buffer.concat([tag(field, EIGHT_BYTES), bytes])
}

const tag = (field: number, kind: number): Uint8Array => varint(field * 8 + kind)

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

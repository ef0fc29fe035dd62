/**
 * A metric: what it is called and means, and how it is read off a source of figures. A component has one table of them,
 * from which the Prometheus text and its reference page derive.
 */
import { BUCKETS_MS, type HistogramSnapshot } from "./histogram.ts"

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Of histograms: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string
}

export interface Metric<Source> {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly unit: string
  readonly labels: readonly string[]
  readonly help: string
  /** Kafka's name for the same, and where it is found there. */
  readonly kafka?: string
  read(source: Source): readonly Sample[]
}

export interface MetricsTable<Source> {
  /** Before every name. */
  readonly prefix: string
  readonly metrics: readonly Metric<Source>[]
}

export const one = (value: number): readonly Sample[] => [{ labels: {}, value }]

export const histogramSamples = (
  { buckets, count, sumMs }: HistogramSnapshot,
  labels: Readonly<Record<string, string>> = {},
): readonly Sample[] => [
  ...BUCKETS_MS.map((le, at) => ({ suffix: "_bucket", labels: { ...labels, le: String(le) }, value: buckets[at]! })),
  { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
  { suffix: "_sum", labels, value: sumMs },
  { suffix: "_count", labels, value: count },
]

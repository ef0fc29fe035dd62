import { expect, test } from "vitest"
import { Histogram, histogramSamples, type MetricsTable, one, prometheusText } from "@millrace/metrics"

interface Figures {
  readonly records: number
  readonly latency?: Histogram
}

const table: MetricsTable<Figures> = {
  prefix: "x_",
  metrics: [
    {
      name: "records_total",
      type: "counter",
      unit: "records",
      labels: [],
      help: "Records.",
      read: ({ records }) => one(records),
    },
    {
      name: "latency_ms",
      type: "histogram",
      unit: "ms",
      labels: ["le"],
      help: "How long.",
      read: ({ latency }) => (latency ? histogramSamples(latency.snapshot()) : []),
    },
  ],
}

test("each metric has its help and type once, before the samples of all sources; labels are escaped", () => {
  const text = prometheusText(table, [
    { labels: { app: 'a"b\\c\n' }, source: { records: 1 } },
    { labels: {}, source: { records: 2 } },
  ])
  expect(text).toBe(
    '# HELP x_records_total Records.\n# TYPE x_records_total counter\nx_records_total{app="a\\"b\\\\c\\n"} 1\nx_records_total 2\n',
  )
})

test("buckets of a histogram hold all that took at most so long", () => {
  const latency = new Histogram()
  for (const ms of [1, 3, 3, 20_000]) latency.record(ms)
  const text = prometheusText(table, [{ labels: {}, source: { records: 0, latency } }])
  expect(text).toContain('x_latency_ms_bucket{le="1"} 1\n')
  expect(text).toContain('x_latency_ms_bucket{le="2"} 1\n')
  expect(text).toContain('x_latency_ms_bucket{le="5"} 3\n')
  expect(text).toContain('x_latency_ms_bucket{le="10000"} 3\n')
  expect(text).toContain('x_latency_ms_bucket{le="+Inf"} 4\n')
  expect(text).toContain("x_latency_ms_sum 20007\nx_latency_ms_count 4\n")
})

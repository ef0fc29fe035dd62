export { BUCKETS_MS, Histogram, type HistogramSnapshot } from "./histogram.ts"
export { histogramSamples, type Metric, type MetricsTable, one, type Sample } from "./metric.ts"
export { type Labelled, PROMETHEUS_TYPE, prometheusText } from "./prometheus.ts"
export { Rate } from "./rate.ts"

/**
 * The figures of a run as a cluster is told them that asks (KIP-714, KIP-1076): through the consumer, under its instance id.
 *
 * A metric that Kafka Streams has too is told by its name there, `org.apache.kafka.stream.thread.process.total` say, so that
 * subscriptions fit both; others as `millrace.streams.…`. Histograms are left to whoever scrapes.
 */
import type { TelemetryMetric } from "@millrace/client"
import type { Metric } from "@millrace/metrics"
import type { RunMetrics } from "./report.ts"
import { STREAMS_METRICS } from "./table.ts"

export interface TelemetryPlace {
  readonly applicationId: string
  readonly identity: { readonly processId: string }
  readonly worker: number
}

export function telemetryMetrics(metrics: RunMetrics, place: TelemetryPlace): TelemetryMetric[] {
  const { applicationId, identity, worker } = place
  const of = { application_id: applicationId, process_id: identity.processId, thread_id: String(worker) }
  return STREAMS_METRICS.metrics.flatMap((metric) => {
    const { type } = metric
    if (type === "histogram") return []
    const name = telemetryName(metric)
    return metric.read(metrics).map(({ labels, value }) => ({
      name,
      type: type === "counter" ? ("sum" as const) : ("gauge" as const),
      value,
      attributes: { ...of, ...labels },
    }))
  })
}

/** A name and its group, "process-total (stream-thread-metrics)": where Kafka's is of the same kind, that. */
const KAFKA_NAME = /^([a-z-]+) \(([a-z-]+)-metrics\)$/

export function telemetryName({ name, type, kafka = "" }: Pick<Metric<never>, "name" | "type" | "kafka">): string {
  const [, kafkas, group] = KAFKA_NAME.exec(kafka) ?? []
  const isAlike = kafkas !== undefined && (type !== "counter" || kafkas.endsWith("-total"))
  return isAlike
    ? `org.apache.kafka.${group!.replaceAll("-", ".")}.${kafkas.replaceAll("-", ".")}`
    : `millrace.streams.${name.replaceAll("_", ".")}`
}

/**
 * Metrics as Prometheus' text format, version 0.0.4.
 */
import type { RunMetrics } from "./report.ts"
import { METRIC_PREFIX, METRICS, type Sample } from "./table.ts"

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

/** The text of all applications of a process; each metric once, with a label that tells them apart. */
export function prometheusText(applications: ReadonlyMap<string, RunMetrics>): string {
  const lines: string[] = []
  for (const metric of METRICS) {
    const name = METRIC_PREFIX + metric.name
    const samples = [...applications].flatMap(([application, metrics]) =>
      metric.read(metrics).map((sample) => line(name, application, sample)),
    )
    if (samples.length > 0) lines.push(`# HELP ${name} ${metric.help}`, `# TYPE ${name} ${metric.type}`, ...samples)
  }
  return `${lines.join("\n")}\n`
}

function line(name: string, application: string, { suffix = "", labels, value }: Sample): string {
  const all = Object.entries({ application, ...labels }).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${suffix}{${all.join(",")}} ${value}`
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

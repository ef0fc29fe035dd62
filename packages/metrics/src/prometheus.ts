/**
 * Metrics as Prometheus' text format, version 0.0.4.
 */
import type { MetricsTable, Sample } from "./metric.ts"

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

/** A source of figures with the labels that tell it from the others of the process. */
export interface Labelled<Source> {
  readonly labels: Readonly<Record<string, string>>
  readonly source: Source
}

/** Each metric once, with the samples of all sources; one that has none is left out. */
export function prometheusText<Source>(table: MetricsTable<Source>, sources: readonly Labelled<Source>[]): string {
  const lines: string[] = []
  for (const metric of table.metrics) {
    const name = table.prefix + metric.name
    const samples = sources.flatMap(({ labels, source }) =>
      metric.read(source).map((sample) => line(name, labels, sample)),
    )
    if (samples.length > 0) lines.push(`# HELP ${name} ${metric.help}`, `# TYPE ${name} ${metric.type}`, ...samples)
  }
  return `${lines.join("\n")}\n`
}

function line(
  name: string,
  ofSource: Readonly<Record<string, string>>,
  { suffix = "", labels, value }: Sample,
): string {
  const all = Object.entries({ ...ofSource, ...labels }).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${suffix}${all.length === 0 ? "" : `{${all.join(",")}}`} ${value}`
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

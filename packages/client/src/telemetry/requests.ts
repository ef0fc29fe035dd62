/**
 * Connections and requests of a client, as far as telemetry tells of them.
 */
import type { TelemetryMetric } from "./metric.ts"

interface Latencies {
  count: number
  sumMs: number
  maxMs: number
}

export class RequestFigures {
  #connections = 0
  #latencies = new Map<string, Latencies>()

  connected(): void {
    this.#connections++
  }

  /** `node` as Kafka's clients name it, "node-1". */
  answered(node: string, ms: number): void {
    const known = this.#latencies.get(node) ?? { count: 0, sumMs: 0, maxMs: 0 }
    known.count++
    known.sumMs += ms
    known.maxMs = Math.max(known.maxMs, ms)
    this.#latencies.set(node, known)
  }

  /** Averages and greatest are of what was answered since the last call. */
  metrics(prefix: string): TelemetryMetric[] {
    const latencies = [...this.#latencies]
    this.#latencies = new Map()
    return [
      { name: `${prefix}connection.creation.total`, type: "sum", value: this.#connections },
      ...latencies.flatMap(([node, { count, sumMs, maxMs }]): TelemetryMetric[] => {
        const attributes = { node_id: node }
        return [
          { name: `${prefix}node.request.latency.avg`, type: "gauge", value: sumMs / count, attributes },
          { name: `${prefix}node.request.latency.max`, type: "gauge", value: maxMs, attributes },
        ]
      }),
    ]
  }
}

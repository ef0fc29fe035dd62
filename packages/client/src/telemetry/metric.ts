/**
 * What a client tells of itself when its cluster asks (KIP-714): figures of one instant, under the names that Kafka's clients
 * have for them, `org.apache.kafka.consumer.connection.creation.total` say.
 */
export interface TelemetryMetric {
  readonly name: string
  /** "sum" only grows, and is told as what was added where the cluster wants that. */
  readonly type: "sum" | "gauge"
  readonly value: number
  readonly attributes?: Readonly<Record<string, string>>
}

/** Asked at each push. */
export type TelemetrySource = () => readonly TelemetryMetric[]

/** Sums as what they grew by since the last push that arrived. */
export class SumLedger {
  #told = new Map<string, number>()
  #pending = new Map<string, number>()

  /** To be followed by `arrived` once they are there; until then the next call begins where this one did. */
  added(metrics: readonly TelemetryMetric[]): TelemetryMetric[] {
    this.#pending = new Map()
    return metrics.map((metric) => {
      if (metric.type === "gauge") return metric
      const key = keyOf(metric)
      this.#pending.set(key, metric.value)
      return { ...metric, value: metric.value - (this.#told.get(key) ?? 0) }
    })
  }

  arrived(): void {
    for (const [key, value] of this.#pending) this.#told.set(key, value)
    this.#pending = new Map()
  }
}

const keyOf = ({ name, attributes = {} }: TelemetryMetric): string => JSON.stringify([name, attributes])

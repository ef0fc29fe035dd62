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

/**
 * Sums as what they grew by since the last push that arrived. What is gone is forgotten, as Kafka's clients forget a metric
 * that is removed: the figures of a task that comes back count from 0 again.
 */
export class SumLedger {
  #told: ReadonlyMap<string, number> = new Map()
  #pending: ReadonlyMap<string, number> = new Map()

  /**
   * Of all metrics that there are, those that nobody wants too: else they would be gone. To be followed by `arrived` once they
   * are there; until then the next call begins where this one did.
   */
  added(metrics: readonly TelemetryMetric[]): TelemetryMetric[] {
    const pending = new Map<string, number>()
    this.#pending = pending
    return metrics.map((metric) => {
      if (metric.type === "gauge") return metric
      const { value } = metric
      const key = keyOf(metric)
      const told = this.#told.get(key) ?? 0
      pending.set(key, value)
      // Less than was told: what it counts went and came back in between, and it has counted from 0 since.
      return { ...metric, value: value < told ? value : value - told }
    })
  }

  arrived(): void {
    this.#told = this.#pending
  }
}

const keyOf = ({ name, attributes = {} }: TelemetryMetric): string => JSON.stringify([name, attributes])

/**
 * What a broker tells whoever watches it. Loaded when asked for: a broker that nobody watches starts without an HTTP server.
 */
import type { Broker } from "@millrace/broker"
import { BROKER_METRICS } from "@millrace/broker/metrics/table"
import type { Address } from "@millrace/host"
import { prometheusText } from "@millrace/metrics"
import type { Part } from "../serve.ts"
import { startMetrics } from "./metrics.ts"

/** A broker is ready while all of its partitions can be used. */
export function startBrokerMetrics(listen: Address, broker: Broker): Promise<Part> {
  return startMetrics(listen, {
    metrics: async () => prometheusText(BROKER_METRICS, [{ labels: {}, source: await broker.metrics() }]),
    problem() {
      const { offlinePartitions } = broker
      return offlinePartitions === 0 ? undefined : `${offlinePartitions} partitions are offline: see the broker's log`
    },
  })
}

/**
 * What a consumer tells of itself where its cluster asks (KIP-714).
 */
import type { TelemetryMetric } from "../telemetry/metric.ts"
import type { FetchedPartition } from "./fetched.ts"
import type { ResolvedConsumerOptions } from "./options.ts"

const PREFIX = "org.apache.kafka.consumer."

export class ConsumerFigures {
  #records = 0
  #bytes = 0

  consumed({ recordCount, sizeInBytes }: FetchedPartition): void {
    this.#records += recordCount
    this.#bytes += sizeInBytes
  }

  metrics(assigned: number): TelemetryMetric[] {
    return [
      { name: `${PREFIX}fetch.manager.records.consumed.total`, type: "sum", value: this.#records },
      { name: `${PREFIX}fetch.manager.bytes.consumed.total`, type: "sum", value: this.#bytes },
      { name: `${PREFIX}coordinator.assigned.partitions`, type: "gauge", value: assigned },
    ]
  }
}

/** Told with all of them; names are Kafka's. */
export const consumerResource = (
  { groupId, groupInstanceId }: ResolvedConsumerOptions,
  clientRack: string,
): Record<string, string> => ({
  ...(groupId !== undefined && { group_id: groupId }),
  ...(groupInstanceId !== null && { group_instance_id: groupInstanceId }),
  ...(clientRack !== "" && { client_rack: clientRack }),
})

/**
 * A global table of the test driver: the last committed record of each key in its topic, looked up in the log itself, so
 * that it is always as far as the topic is.
 */
import type { GlobalRows } from "@millrace/streams/state/global-store"
import type { Stamped } from "@millrace/streams/state/key-value-store"
import type { PhysicalStore } from "@millrace/streams/topology/topology"
import type { MemoryCluster } from "./memory-cluster.ts"

const NO_ROW: Stamped<never> = { value: undefined, timestamp: -1 }

export class DriverGlobalTable implements GlobalRows {
  readonly #spec: PhysicalStore
  readonly #cluster: MemoryCluster

  constructor(spec: PhysicalStore, cluster: MemoryCluster) {
    this.#spec = spec
    this.#cluster = cluster
  }

  get(key: unknown): Stamped<any> {
    const wanted = this.#spec.key.encode(key)
    const records = this.#cluster.logs(this.#spec.changelog).flatMap((log) => log.committed(0))
    const last = records.findLast((record) => record.key !== null && Buffer.compare(record.key, wanted) === 0)
    if (last === undefined || last.value === null) return NO_ROW
    return { value: this.#spec.value.decode(last.value), timestamp: last.timestamp }
  }
}

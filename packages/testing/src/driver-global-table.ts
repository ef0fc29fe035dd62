/**
 * A global table of the test driver: the last committed record of each key in its topic, looked up in the log itself, so
 * that it is always as far as the topic is.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { type GlobalRows, unreadableRow } from "@millrace/streams/state/global-store"
import type { Stamped } from "@millrace/streams/state/key-value-store"
import { type UnreadableRows, unreadableRows } from "@millrace/streams/state/unreadable-rows"
import type { PhysicalStore, Topology } from "@millrace/streams/topology/topology"
import type { MemoryCluster } from "./memory-cluster.ts"

const NO_ROW: Stamped<never> = { value: undefined, timestamp: -1 }

export class DriverGlobalTable implements GlobalRows {
  readonly #spec: PhysicalStore
  readonly #cluster: MemoryCluster
  readonly #unreadable: UnreadableRows | undefined

  constructor(topology: Topology, spec: PhysicalStore, cluster: MemoryCluster) {
    this.#spec = spec
    this.#cluster = cluster
    this.#unreadable = unreadableRows(topology, spec, () => {})
  }

  get(key: unknown): Stamped<any> {
    const wanted = this.#spec.key.encode(key)
    const logs = this.#cluster.logs(this.#spec.changelog)
    const records = logs.flatMap((log, partition) => log.committed(0).map((entry) => ({ entry, partition })))
    for (const { entry, partition } of records.toReversed()) {
      const { key, value, timestamp, offset, headers } = entry
      if (key === null || Buffer.compare(key, wanted) !== 0) continue
      if (value === null) return NO_ROW
      try {
        const row = { value: this.#spec.value.decode(value), timestamp }
        return this.#spec.headers === true ? { ...row, headers } : row
      } catch (cause) {
        if (this.#unreadable === undefined || cause instanceof UnknownSchemaId)
          throw unreadableRow(this.#spec.name, cause)
        this.#unreadable.passOver({ partition, offset, key, value }, cause)
      }
    }
    return NO_ROW
  }
}

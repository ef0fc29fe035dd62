/**
 * A global table of the test driver: the last committed record of each key in its topic, looked up in the log itself, so
 * that it is always as far as the topic is. What does not decode is found when a row is looked for.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { type GlobalRows, unreadableRow } from "@millrace/streams/state/global-store"
import type { Stamped } from "@millrace/streams/state/key-value-store"
import { NOTHING } from "@millrace/streams/state/store"
import { type UnreadableRows, unreadableRows } from "@millrace/streams/state/unreadable-rows"
import type { PhysicalStore, Topology } from "@millrace/streams/topology/topology"
import type { MemoryCluster } from "./memory-cluster.ts"
import type { LogEntry } from "./memory-log.ts"

export class DriverGlobalTable implements GlobalRows {
  readonly #spec: PhysicalStore
  readonly #cluster: MemoryCluster
  readonly #unreadable: UnreadableRows | undefined
  readonly #passedOver = new Set<LogEntry>()

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
      if (key === null || Buffer.compare(key, wanted) !== 0 || this.#passedOver.has(entry)) continue
      if (value === null) return NOTHING
      try {
        const row = { value: this.#spec.value.decode(value), timestamp }
        return this.#spec.headers === true ? { ...row, headers } : row
      } catch (cause) {
        if (this.#unreadable === undefined || cause instanceof UnknownSchemaId)
          throw unreadableRow(this.#spec.name, cause)
        this.#unreadable.passOver({ partition, offset, key, value }, cause)
        this.#passedOver.add(entry)
      }
    }
    return NOTHING
  }

  /** Records passed over, once each. */
  get skipped(): number {
    return this.#passedOver.size
  }
}

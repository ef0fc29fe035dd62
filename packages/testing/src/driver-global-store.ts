/**
 * A global store of the test driver: its function is given the committed records of the topic, partition by partition, as
 * soon as somebody looks.
 */
import { invariant } from "@millrace/host"
import { FLUSH_LIMITS } from "@millrace/streams/state/committed"
import { GlobalProcessor } from "@millrace/streams/state/global-processor"
import { type GlobalRows, GlobalStore } from "@millrace/streams/state/global-store"
import type { Stamped } from "@millrace/streams/state/key-value-store"
import { MemoryEngine } from "@millrace/streams/state/memory-engine"
import type { GlobalStoreSpec, Topology } from "@millrace/streams/topology/topology"
import type { MemoryCluster } from "./memory-cluster.ts"

export class DriverGlobalStore implements GlobalRows {
  readonly #spec: GlobalStoreSpec
  readonly #cluster: MemoryCluster
  readonly #store: GlobalStore
  readonly #processor: GlobalProcessor

  constructor({ plan }: Topology, spec: GlobalStoreSpec, cluster: MemoryCluster) {
    this.#spec = spec
    this.#cluster = cluster
    this.#store = new GlobalStore(spec, new MemoryEngine(), FLUSH_LIMITS)
    const { node } = spec
    const serde = <T>(one: T) => one
    this.#processor = new GlobalProcessor({ pipeline: plan.pipeline, node, store: this.#store, serde, log: () => {} })
  }

  get(key: unknown): Stamped<any> {
    this.catchUp()
    return this.#store.get(key)
  }

  /** Records passed over. */
  get skipped(): number {
    return this.#processor.failures.skipped
  }

  /** Throws what would end the run. */
  catchUp(): void {
    for (const [partition, log] of this.#cluster.logs(this.#spec.topic).entries()) {
      for (const record of log.committed(this.#store.position(partition) ?? 0)) {
        const later = this.#processor.apply({ ...record, partition })
        invariant(later === undefined, "the driver's serdes need no registry")
        this.#store.moveTo(partition, record.offset + 1)
      }
    }
  }
}

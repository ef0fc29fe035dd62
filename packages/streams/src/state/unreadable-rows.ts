/**
 * What becomes of records of a global table's topic whose bytes do not decode, where a handler says more than "fail".
 *
 * They are found when they are read, and passed over: the row before stays. There is no transaction to write a dead letter
 * in: which record it was is told in the log, and there it still is. Without a handler nothing is decoded before a row is
 * looked up: it fails the record that looks for it.
 */
import { RegistryError, UnknownSchemaId } from "@millrace/schema"
import { ProcessingError } from "../errors.ts"
import type { PhysicalNode, PhysicalStore, Topology } from "../topology/topology.ts"

export interface RowRecord {
  readonly partition: number
  readonly offset: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export class UnreadableRows {
  readonly #pipeline: string
  readonly #node: PhysicalNode
  readonly #spec: PhysicalStore
  readonly #log: (message: string) => void

  constructor(pipeline: string, node: PhysicalNode, spec: PhysicalStore, log: (message: string) => void) {
    this.#pipeline = pipeline
    this.#node = node
    this.#spec = spec
    this.#log = log
  }

  /** Whether the record is one to pass over; later, where its schema must be fetched first. Throws when it is to fail. */
  has(record: RowRecord): boolean | Promise<boolean> {
    try {
      this.#spec.key.decode(record.key)
      this.#spec.value.decode(record.value)
      return false
    } catch (cause) {
      if (!(cause instanceof UnknownSchemaId)) return this.passOver(record, cause)
      return cause.resolve().then(
        () => this.has(record),
        (failure: unknown) => {
          if (failure instanceof RegistryError && failure.status === 404) return this.passOver(record, failure)
          throw failure
        },
      )
    }
  }

  /** Throws when it is to fail. */
  passOver({ partition, offset }: RowRecord, cause: unknown): true {
    const site = { pipeline: this.#pipeline, operator: this.#node.name, topic: this.#spec.changelog, partition, offset }
    const error = new ProcessingError(site, cause)
    const handler = this.#node.onFailure ?? "fail"
    const action = typeof handler === "function" ? handler({ error, record: undefined }) : handler
    if (action === "fail") throw error
    this.#log(`${error.message}: passed over, the row before stays`)
    return true
  }
}

/** Undefined where nothing is passed over. */
export function unreadableRows(
  { nodes, plan }: Pick<Topology, "nodes" | "plan">,
  spec: PhysicalStore,
  log: (message: string) => void,
): UnreadableRows | undefined {
  const node = nodes.find(
    ({ kind, stores }) => kind === "global-table" && stores.some(({ name }) => name === spec.name),
  )!
  return node.onFailure === undefined ? undefined : new UnreadableRows(plan.pipeline, node, spec, log)
}

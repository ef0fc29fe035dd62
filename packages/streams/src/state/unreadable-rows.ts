/**
 * Finds records of a global table's topic whose bytes do not decode, where a handler says more than "fail".
 *
 * They are found when they are read, and passed over (global-failures.ts). Without a handler nothing is decoded before a row
 * is looked up: it fails the record that looks for it.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { causeOf } from "../errors.ts"
import type { PhysicalNode, PhysicalStore, Topology } from "../topology/topology.ts"
import { GlobalFailures } from "./global-failures.ts"

export interface RowRecord {
  readonly partition: number
  readonly offset: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export class UnreadableRows {
  readonly failures: GlobalFailures
  readonly #node: PhysicalNode
  readonly #spec: PhysicalStore

  constructor(pipeline: string, node: PhysicalNode, spec: PhysicalStore, log: (message: string) => void) {
    this.failures = new GlobalFailures({ pipeline, node, log })
    this.#node = node
    this.#spec = spec
  }

  /** Whether the record is one to pass over; later, where its schema must be fetched first. Throws when it is to fail. */
  has(record: RowRecord): boolean | Promise<boolean> {
    try {
      this.#spec.key.decode(record.key)
      this.#spec.value.decode(record.value)
      return false
    } catch (cause) {
      const unknown = causeOf(cause, UnknownSchemaId)
      return unknown === undefined ? this.passOver(record, cause) : this.#resolve(record, unknown)
    }
  }

  async #resolve(record: RowRecord, cause: UnknownSchemaId): Promise<boolean> {
    return !(await this.failures.hasSchema(cause, this.#failure(record))) || this.has(record)
  }

  /** Throws when it is to fail. */
  passOver(record: RowRecord, cause: unknown): true {
    this.failures.passOver(cause, this.#failure(record))
    return true
  }

  #failure({ partition, offset }: RowRecord) {
    return { partition, offset, handler: this.#node.onFailure }
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

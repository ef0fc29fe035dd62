/**
 * Where the registry's records live: a log that one reads from its beginning and appends to.
 *
 * `open` hands every record to `replay`, those of the past before it resolves and those to come as they arrive, in order.
 * `append` resolves when the records have been handed to `replay`: what was answered has been read back. A store loses
 * nothing that it has so acknowledged.
 */
import type { RegistryRecord } from "../record/record.ts"

export interface RegistryStore {
  /** Of the Kafka cluster. */
  readonly clusterId: string
  open(replay: (record: RegistryRecord) => void): Promise<void>
  /** Reads on until what was the end when it was called. */
  catchUp(): Promise<void>
  append(records: readonly RegistryRecord[]): Promise<void>
  close(): Promise<void>
}

/** The log did not take or give back a record: 50001, or 50002 when it took too long. */
export class StoreError extends Error {
  override readonly name = "StoreError"
  readonly isTimeout: boolean
  constructor(message: string, options: { readonly cause?: unknown; readonly isTimeout?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.isTimeout = options.isTimeout ?? false
  }
}

/**
 * Gives the records of a topic to the function that maintains a global store, one after another: what it puts for a record is
 * there whole once it has returned, and not at all when it throws.
 *
 * What fails is handled where it fails (KIP-1270): a record that does not decode, or that the function throws on, ends the
 * run, or is passed over, which the log tells. There is no transaction that a dead letter could be written in.
 */
import { RegistryError, UnknownSchemaId } from "@millrace/schema"
import type { FailureHandler } from "../dsl/failure.ts"
import { type Headers, OWN_CLOCK, type Rec, StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type KeyValueState, stampedOf } from "../dsl/store.ts"
import { CorruptState, PipelineError, ProcessingError } from "../errors.ts"
import type { SerdeLookup } from "../run/serdes.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import type { GlobalStore } from "./global-store.ts"

export interface RawRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
}

type Update = (record: Rec<unknown, unknown>, rows: KeyValueState<unknown, unknown>) => unknown

export interface GlobalProcessorOptions {
  readonly pipeline: string
  readonly node: PhysicalNode
  readonly store: GlobalStore
  readonly serde: SerdeLookup
  readonly log: (message: string) => void
}

export class GlobalProcessor {
  readonly #options: GlobalProcessorOptions
  readonly #update: Update
  readonly #decodeKey: (bytes: Uint8Array) => unknown
  readonly #decodeValue: (bytes: Uint8Array) => unknown
  readonly #rows: KeyValueState<unknown, unknown>
  #record: Rec<unknown, unknown> | undefined

  constructor(options: GlobalProcessorOptions) {
    this.#options = options
    const { node, serde } = options
    const [key, value] = [serde(node.key, node.topic!, true), serde(node.value, node.topic!, false)]
    this.#decodeKey = (bytes) => key.decode(bytes)
    this.#decodeValue = (bytes) => value.decode(bytes)
    this.#update = node.logical.functions["update"] as Update
    this.#rows = this.#state()
  }

  /** Later, where a schema must be fetched first. Throws what ends the run. */
  apply(raw: RawRecord): void | Promise<void> {
    const { node, store } = this.#options
    try {
      const record = this.#decoded(raw)
      if (record === undefined) return
      this.#record = record
      const answer = this.#update(record, this.#rows)
      if (answer instanceof Promise) {
        answer.catch(() => {})
        throw new PipelineError(`global store "${node.name}": its function must be synchronous, and answered a promise`)
      }
      store.stage()
      store.merge()
    } catch (cause) {
      store.rollback()
      if (cause instanceof PipelineError || cause instanceof CorruptState) throw cause
      if (cause instanceof UnknownSchemaId) return this.#resolve(raw, cause)
      if (cause instanceof ProcessingError) throw cause
      this.#passOver(raw, cause, node.onFailure, this.#record)
    } finally {
      this.#record = undefined
    }
  }

  /** Undefined: it does not decode, and is passed over. */
  #decoded(raw: RawRecord): StreamRecord | undefined {
    const { partition, timestamp, headers, offset } = raw
    const origin = { topic: this.#options.node.topic!, partition }
    try {
      const key = raw.key && this.#decodeKey(raw.key)
      const value = raw.value && this.#decodeValue(raw.value)
      return new StreamRecord(key, value, timestamp, headers, offset, origin, OWN_CLOCK, TOMBSTONE)
    } catch (cause) {
      if (cause instanceof UnknownSchemaId) throw cause
      this.#passOver(raw, cause, this.#options.node.onDecodeFailure, undefined)
      return undefined
    }
  }

  async #resolve(raw: RawRecord, cause: UnknownSchemaId): Promise<void> {
    try {
      await cause.resolve()
    } catch (failure) {
      if (!(failure instanceof RegistryError && failure.status === 404)) throw failure
      return this.#passOver(raw, failure, this.#options.node.onDecodeFailure, undefined)
    }
    await this.apply(raw)
  }

  #passOver(
    { partition, offset }: RawRecord,
    cause: unknown,
    handler: FailureHandler = "fail",
    record: Rec<unknown, unknown> | undefined,
  ): void {
    const { pipeline, node, log } = this.#options
    const error = new ProcessingError({ pipeline, operator: node.name, topic: node.topic!, partition, offset }, cause)
    const action = typeof handler === "function" ? handler({ error, record }) : handler
    if (action === "fail") throw error
    log(`${error.message}: passed over, the rows stay as they were`)
  }

  #state(): KeyValueState<unknown, unknown> {
    const { store } = this.#options
    const at = (timestamp = this.#record!.timestamp) => timestamp
    const headers = () => (store.spec.headers === true ? this.#record!.headers : undefined)
    return {
      get: (key) => store.getOpen(key).value,
      getStamped: (key) => stampedOf(store.getOpen(key)),
      put: (key, value, timestamp) => store.put(key, value ?? undefined, at(timestamp), headers()),
      delete: (key) => store.put(key, undefined, at()),
      range: (from, to) => store.range(from, to),
    }
  }
}

/**
 * Gives the records of a topic to the function that maintains a global store, one after another: what it puts for a record is
 * there whole once it has returned, and not at all when it throws.
 *
 * What fails is handled where it fails (KIP-1270): a record that does not decode, or that the function throws on, ends the
 * run, or is passed over (global-failures.ts). Damage on disk, and a pipeline that is written wrongly, are no matter of one
 * record.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { type Headers, OWN_CLOCK, type Rec, StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { type KeyValueState, stampedOf } from "../dsl/store.ts"
import { causeOf, corruptionOf, PipelineError } from "../errors.ts"
import type { SerdeLookup } from "../run/serdes.ts"
import { type GlobalFailure, GlobalFailures, type GlobalFailuresOptions } from "./global-failures.ts"
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

export interface GlobalProcessorOptions extends GlobalFailuresOptions {
  readonly store: GlobalStore
  readonly serde: SerdeLookup
}

export class GlobalProcessor {
  readonly failures: GlobalFailures
  readonly #options: GlobalProcessorOptions
  readonly #update: Update
  readonly #decodeKey: (bytes: Uint8Array) => unknown
  readonly #decodeValue: (bytes: Uint8Array) => unknown
  readonly #rows: KeyValueState<unknown, unknown>
  /** While the function runs. */
  #record: Rec<unknown, unknown> | undefined

  constructor(options: GlobalProcessorOptions) {
    this.#options = options
    const { node, serde } = options
    const [key, value] = [serde(node.key, node.topic!, true), serde(node.value, node.topic!, false)]
    this.failures = new GlobalFailures(options)
    this.#decodeKey = (bytes) => key.decode(bytes)
    this.#decodeValue = (bytes) => value.decode(bytes)
    this.#update = node.logical.functions["update"] as Update
    this.#rows = this.#state()
  }

  /** Later, where a schema must be fetched first. Throws what ends the run. */
  apply(raw: RawRecord): void | Promise<void> {
    const { node, store } = this.#options
    const { partition, offset } = raw
    let record: StreamRecord
    try {
      record = this.#decoded(raw)
    } catch (cause) {
      return this.#failed(raw, cause, { partition, offset, handler: node.onDecodeFailure })
    }
    try {
      this.#run(record)
      store.stage()
      store.merge()
    } catch (cause) {
      store.rollback()
      return this.#failed(raw, cause, { partition, offset, handler: node.onFailure, record })
    }
  }

  #decoded({ partition, timestamp, headers, offset, ...raw }: RawRecord): StreamRecord {
    const origin = { topic: this.#options.node.topic!, partition }
    const key = raw.key && this.#decodeKey(raw.key)
    const value = raw.value && this.#decodeValue(raw.value)
    return new StreamRecord(key, value, timestamp, headers, offset, origin, OWN_CLOCK, TOMBSTONE)
  }

  #run(record: StreamRecord): void {
    this.#record = record
    try {
      const answer = this.#update(record, this.#rows)
      if (!(answer instanceof Promise)) return
      answer.catch(() => {})
      throw this.#wrong("its function must be synchronous, and answered a promise")
    } finally {
      this.#record = undefined
    }
  }

  #failed(raw: RawRecord, cause: unknown, failure: GlobalFailure): void | Promise<void> {
    if (cause instanceof PipelineError || corruptionOf(cause) !== undefined) throw cause
    const unknown = causeOf(cause, UnknownSchemaId)
    return unknown === undefined ? this.failures.passOver(cause, failure) : this.#resolve(raw, unknown, failure)
  }

  async #resolve(raw: RawRecord, cause: UnknownSchemaId, failure: GlobalFailure): Promise<void> {
    if (await this.failures.hasSchema(cause, failure)) await this.apply(raw)
  }

  #state(): KeyValueState<unknown, unknown> {
    const { store } = this.#options
    const put = (key: unknown, value: unknown, timestamp: number | undefined) => {
      if (this.#record === undefined) throw this.#wrong("rows are put and deleted by its function until that returns")
      const headers = store.spec.headers === true ? this.#record.headers : undefined
      store.put(key, value ?? undefined, timestamp ?? this.#record.timestamp, headers)
    }
    return {
      get: (key) => store.getOpen(key).value,
      getStamped: (key) => stampedOf(store.getOpen(key)),
      put,
      delete: (key) => put(key, undefined, undefined),
      range: (from, to) => store.range(from, to),
    }
  }

  #wrong(message: string): PipelineError {
    const { pipeline, node } = this.#options
    return new PipelineError(`pipeline "${pipeline}", global store "${node.name}": ${message}`)
  }
}

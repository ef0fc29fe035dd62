/**
 * How records leave the queues of a source topic: what both kinds of reader share.
 */
import { RegistryError, type Serde, UnknownSchemaId } from "@millrace/schema"
import { StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { ProcessingError } from "../errors.ts"
import type { TaskContext } from "../task/context.ts"
import { Failures } from "../task/failures.ts"
import type { OffsetMetadata } from "../task/offset-metadata.ts"
import type { RecordCursor, RecordQueue } from "../task/record-queue.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import type { Receiver } from "./operator.ts"

/** Takes records out of the queues of one source topic. */
export interface SourceReader {
  next: Receiver
  link(receivers: readonly Receiver[]): void
  /** The head's record; undefined when it is not a record of the stream. */
  read(queue: RecordQueue): StreamRecord | undefined
  /** Times that commit with the offsets of a queue. */
  times(queue: RecordQueue): OffsetMetadata["upstream"]
  /** Of a repartition topic: upstream partitions whose tasks have told no time, once something has come from one of them. */
  untold?(queue: RecordQueue): readonly number[]
  restore(queue: RecordQueue, metadata: OffsetMetadata | undefined): void
  commit(): void
  rollback(): void
}

/** Decodes raw records with a source's serdes. */
export class RecordDecoder {
  readonly #node: PhysicalNode
  readonly #context: TaskContext
  readonly #key: Serde<unknown>
  readonly #value: Serde<unknown>
  readonly #failures: Failures | undefined
  readonly #missing = new Map<number, unknown>()

  constructor(node: PhysicalNode, context: TaskContext) {
    this.#node = node
    this.#context = context
    this.#key = context.serde(node.key, node.topic!, true)
    this.#value = context.serde(node.value, node.topic!, false)
    this.#failures = node.onFailure && new Failures(node, context, node.onFailure)
  }

  /** undefined for a record that could not be decoded and is to be passed over. */
  decode(
    queue: RecordQueue,
    raw: RecordCursor,
    clock: number,
    headers: StreamRecord["headers"],
  ): StreamRecord | undefined {
    let record: StreamRecord
    try {
      record = this.parse(queue, raw, clock, headers)
      if (raw.timestamp < 0) throw new TypeError(`its timestamp is ${raw.timestamp}, and event time needs one`)
    } catch (cause) {
      if (cause instanceof UnknownSchemaId) throw cause
      return this.fail(queue, raw, cause)
    }
    return record
  }

  /** Throws what is wrong with the bytes. */
  parse(queue: RecordQueue, raw: RecordCursor, clock: number, headers: StreamRecord["headers"]): StreamRecord {
    try {
      const keyBytes = raw.key()
      const valueBytes = raw.value()
      const key = keyBytes === null ? null : this.#key.decode(keyBytes)
      const value = valueBytes === null ? TOMBSTONE : this.#value.decode(valueBytes)
      return new StreamRecord(key, value, raw.timestamp, headers, raw.offset, queue, clock, TOMBSTONE)
    } catch (cause) {
      if (!(cause instanceof UnknownSchemaId)) throw cause
      throw this.#missing.get(cause.id) ?? this.#noticing(cause)
    }
  }

  /** What becomes of a record that cannot be read: throws, or answers nothing once that is done. */
  fail(queue: RecordQueue, { offset }: RecordCursor, cause: unknown): undefined {
    const { topic, partition } = queue
    const site = { pipeline: this.#context.pipeline, operator: this.#node.name, topic, partition, offset }
    const error = new ProcessingError(site, cause)
    if (this.#failures === undefined) throw error
    this.#failures.handle(error, undefined, queue)
  }

  /** Remembers ids that the registry does not have: then it is the record that is wrong. */
  #noticing({ id, resolve }: UnknownSchemaId): UnknownSchemaId {
    return new UnknownSchemaId(id, async () => {
      try {
        await resolve()
      } catch (cause) {
        if (!(cause instanceof RegistryError) || cause.status !== 404) throw cause
        this.#missing.set(id, cause)
      }
    })
  }
}

/**
 * Writes records that could not be processed to a dead-letter topic, in the same transaction.
 *
 * Headers say where the record came from and what was wrong, by the names of Kafka Streams (KIP-1034), and which operator
 * failed.
 */
import { type Headers, isAbsent, type StreamRecord } from "../dsl/record.ts"
import type { Topic } from "../dsl/topic.ts"
import { ProcessingError, type ProcessingSite } from "../errors.ts"
import type { RawRecord } from "../task/failures.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { ANY_PARTITION, type TaskContext } from "../task/context.ts"

/** Longer stack traces are cut: a header is no place for a page. */
const STACK_TRACE_LENGTH_MAX = 4_096

export class DeadLetters {
  readonly #node: PhysicalNode
  readonly #context: TaskContext

  constructor(node: PhysicalNode, context: TaskContext) {
    this.#node = node
    this.#context = context
  }

  /** Key and value as the topic's serdes write them. */
  write(topic: Topic<any, any>, record: StreamRecord, error: unknown): void {
    const site = this.#site(record)
    // Outside the try: a serde that must be bound first is nothing that is wrong with the record.
    const keySerde = this.#context.serde(topic.key, topic.name, true)
    const valueSerde = this.#context.serde(topic.value, topic.name, false)
    let key: Uint8Array | null
    let value: Uint8Array | null
    try {
      key = isAbsent(record.key) ? null : keySerde.encode(record.key)
      value = isAbsent(record.value) ? null : valueSerde.encode(record.value)
    } catch (cause) {
      throw new ProcessingError(site, cause)
    }
    this.#append(topic.name, { timestamp: record.timestamp, key, value, headers: record.headers }, site, error)
  }

  /** Key and value as they are. */
  writeRaw(topic: string, raw: RawRecord, { site, cause }: ProcessingError): void {
    this.#append(topic, raw, site, cause)
  }

  // What the producer refuses is the transaction's failure, not the record's.
  #append(topic: string, { timestamp, key, value, headers }: RawRecord, site: ProcessingSite, error: unknown): void {
    this.#context.metrics.emitted++
    this.#context.metrics.deadLetters++
    this.#context.output.append(topic, ANY_PARTITION, timestamp, key, value, [...headers, ...explain(site, error)])
  }

  #site({ topic, partition, offset }: StreamRecord): ProcessingSite {
    return { pipeline: this.#context.pipeline, operator: this.#node.name, topic, partition, offset }
  }
}

/** Classes of errors seldom set a name: then it is the class's. */
const nameOf = (error: Error): string => (error.name === "Error" ? error.constructor.name : error.name)

function explain(site: ProcessingSite, error: unknown): Headers {
  const [name, message] = error instanceof Error ? [nameOf(error), error.message] : [typeof error, String(error)]
  const stack = error instanceof Error ? (error.stack ?? "") : ""
  const header = (field: string, text: string) => ({ key: `__streams.errors.${field}`, value: Buffer.from(text) })
  return [
    header("exception", name),
    header("message", message),
    header("stacktrace", stack.slice(0, STACK_TRACE_LENGTH_MAX)),
    header("topic", site.topic),
    header("partition", String(site.partition)),
    header("offset", String(site.offset)),
    header("operator", site.operator),
  ]
}

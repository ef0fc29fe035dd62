/**
 * Writes records that could not be processed to a dead-letter topic, in the same transaction.
 *
 * Headers say where the record came from and what was wrong, by the names of Kafka Streams (KIP-1034), and which operator
 * failed.
 */
import type { Headers, StreamRecord } from "../dsl/record.ts"
import type { Topic } from "../dsl/topic.ts"
import type { ProcessingError, ProcessingSite } from "../errors.ts"
import type { RawRecord } from "../task/failures.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { ANY_PARTITION, type TaskContext } from "../task/context.ts"
import { sideEncoder, siteOf } from "./side-record.ts"

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
    const raw = sideEncoder(this.#context, this.#node, topic)(record, record.value)
    this.#append(topic.name, raw, siteOf(this.#context, this.#node, record), error)
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

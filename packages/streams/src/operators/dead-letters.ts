/**
 * Writes records that could not be processed to a dead-letter topic, in the same transaction.
 *
 * Key, value and timestamp are the record's, as the topic's serdes write them; headers say where it came from and what
 * was wrong, by the names of Kafka Streams (KIP-1034).
 */
import { type Headers, isAbsent, type StreamRecord } from "../dsl/record.ts"
import type { Topic } from "../dsl/topic.ts"
import { ProcessingError } from "../errors.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { ANY_PARTITION, type TaskContext } from "../task/context.ts"

export class DeadLetters {
  readonly #node: PhysicalNode
  readonly #context: TaskContext

  constructor(node: PhysicalNode, context: TaskContext) {
    this.#node = node
    this.#context = context
  }

  write(topic: Topic<any, any>, record: StreamRecord, error: unknown): void {
    const { pipeline, output } = this.#context
    let key: Uint8Array | null
    let value: Uint8Array | null
    try {
      key = isAbsent(record.key) ? null : this.#context.serde(topic.key, topic.name, true).encode(record.key)
      value = isAbsent(record.value) ? null : this.#context.serde(topic.value, topic.name, false).encode(record.value)
    } catch (cause) {
      const { topic: from, partition, offset } = record
      throw new ProcessingError({ pipeline, operator: this.#node.name, topic: from, partition, offset }, cause)
    }
    // Outside: what the producer refuses is the transaction's failure, not the record's.
    const headers = [...record.headers, ...explain(record, error)]
    output.append(topic.name, ANY_PARTITION, record.timestamp, key, value, headers)
    this.#context.metrics.emitted++
  }
}

function explain(record: StreamRecord, error: unknown): Headers {
  const [name, message] = error instanceof Error ? [error.name, error.message] : [typeof error, String(error)]
  const header = (field: string, text: string) => ({ key: `__streams.errors.${field}`, value: Buffer.from(text) })
  return [
    header("exception", name),
    header("message", message),
    header("topic", record.topic),
    header("partition", String(record.partition)),
    header("offset", String(record.offset)),
  ]
}

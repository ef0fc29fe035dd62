/**
 * to: writes a stream to a topic.
 *
 * State: none. Time: the record's timestamp goes with it, as do its headers. Key: as the topic's serde writes it; it
 * decides the partition as Kafka's default partitioner does. Tombstones and null are written as null.
 */
import type { Serde } from "@millrace/schema"
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import { Flow, type Sink, type Stream, streamNode } from "../dsl/stream.ts"
import type { Topic } from "../dsl/topic.ts"
import { ANY_PARTITION, type TaskContext } from "../task/context.ts"
import { makeNode } from "../topology/node.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { type Operator, Processor } from "./operator.ts"

const toOperator: Operator = { kind: "to", make: (node, context) => new To(node, context) }

export function to<K, V>(topic: Topic<K, V>): <R>(s: Stream<K, V, R>) => Sink<R> {
  return (s) => {
    const options = { topic: topic.name }
    const node = makeNode({
      operator: toOperator,
      inputs: [streamNode("to", s)],
      options,
      key: topic.key,
      value: topic.value,
    })
    return new Flow("sink", node) as unknown as Sink<any>
  }
}

class To extends Processor {
  readonly #topic: string
  readonly #key: Serde<unknown>
  readonly #value: Serde<unknown>

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    this.#topic = node.topic!
    this.#key = context.serde(node.key, this.#topic, true)
    this.#value = context.serde(node.value, this.#topic, false)
  }

  receive(record: StreamRecord): void {
    let key: Uint8Array | null
    let value: Uint8Array | null
    try {
      key = isAbsent(record.key) ? null : this.#key.encode(record.key)
      value = isAbsent(record.value) ? null : this.#value.encode(record.value)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    this.context.metrics.emitted++
    this.context.output.append(this.#topic, ANY_PARTITION, record.timestamp, key, value, record.headers)
  }
}

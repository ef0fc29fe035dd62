/**
 * to: writes a stream to a topic.
 *
 * State: none. Time: the record's timestamp goes with it, as do its headers. Key: as the topic's serde writes it; it
 * decides the partition as Kafka's default partitioner does. Tombstones and null are written as null.
 * A partitioner of one's own chooses one partition, several (the record is written to each), none (the record is dropped
 * and counted), or leaves the choice to the key (KIP-873).
 */
import type { Serde } from "@millrace/schema"
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import { Flow, type Sink, type Stream, streamNode } from "../dsl/stream.ts"
import type { FailureHandler } from "../dsl/failure.ts"
import type { Topic } from "../dsl/topic.ts"
import { ANY_PARTITION, type TaskContext } from "../task/context.ts"
import { makeNode } from "../topology/node.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { type Operator, Processor } from "./operator.ts"
import { checkedPartition } from "./partitioner.ts"

const toOperator: Operator = { kind: "to", make: (node, context) => new To(node, context) }

export interface ToOptions<K, V> {
  /** From 0 on, below `partitions`. A tombstone has the value null. */
  readonly partitioner?: (key: K, value: V | null, partitions: number) => number | readonly number[] | undefined
  /** What becomes of records that do not encode, or that the cluster refuses. */
  readonly onProductionFailure?: FailureHandler
}

export function to<K, V>(
  topic: Topic<K, V>,
  { partitioner, onProductionFailure }: ToOptions<K, V> = {},
): <R>(s: Stream<K, V, R>) => Sink<R> {
  return (s) => {
    const options = { topic: topic.name }
    const node = makeNode({
      operator: toOperator,
      inputs: [streamNode("to", s)],
      options,
      functions: {
        ...(partitioner && { partitioner }),
        ...(onProductionFailure && { onRecordFailure: () => onProductionFailure }),
      },
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
  readonly #partitioner = this.node.logical.functions["partitioner"] as ToOptions<unknown, unknown>["partitioner"]

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
    if (this.#partitioner === undefined) return this.#write(record, ANY_PARTITION, key, value)
    const partitions = this.#choose(record)
    if (partitions.length === 0) this.context.drop("skipped", record)
    for (const partition of partitions) this.#write(record, partition, key, value)
  }

  #write(record: StreamRecord, partition: number, key: Uint8Array | null, value: Uint8Array | null): void {
    this.context.metrics.emitted++
    this.context.output.append(this.#topic, partition, record.timestamp, key, value, record.headers)
  }

  #choose(record: StreamRecord): readonly number[] {
    const count = this.context.output.partitionCount(this.#topic)
    const present = (part: unknown) => (isAbsent(part) ? null : part)
    try {
      const chosen = this.#partitioner!(present(record.key), present(record.value), count)
      if (chosen === undefined) return [ANY_PARTITION]
      return (typeof chosen === "number" ? [chosen] : chosen).map((one) => checkedPartition(one, count)!)
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }
}

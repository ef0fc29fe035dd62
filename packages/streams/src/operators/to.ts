/**
 * to: writes a stream to a topic.
 *
 * State: none. Time: the record's timestamp goes with it, as do its headers. Key: as the topic's serde writes it; it
 * decides the partition as Kafka's default partitioner does. Tombstones and null are written as null.
 * The topic may be chosen for each record: its serdes are bound to the registry when it is first met, and the topic must
 * exist, or be made by the broker.
 * A partitioner of one's own chooses one partition, several (the record is written to each), none (the record is dropped
 * and counted), or leaves the choice to the key (KIP-873).
 */
import type { Serde } from "@millrace/schema"
import { isAbsent, type Rec, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { Flow, type Sink, type Stream, streamNode } from "../dsl/stream.ts"
import type { FailureHandler } from "../dsl/failure.ts"
import { assertName, type Topic } from "../dsl/topic.ts"
import { PipelineError } from "../errors.ts"
import { ANY_PARTITION, type TaskContext } from "../task/context.ts"
import { type LogicalNode, makeNode } from "../topology/node.ts"
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

/** For topics that are chosen per record: how all of them hold keys and values. */
export interface ToChosenOptions<K, V> extends Pick<ToOptions<K, V>, "onProductionFailure"> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** The topic's name, from the record; a tombstone has the value null. */
export function to<K, V>(
  choose: (key: K, value: V | null, record: Rec<K, V | null>) => string,
  options: ToChosenOptions<K, V>,
): <R>(s: Stream<K, V, R>) => Sink<R>
// Last, since the compiler tells the last one's error when neither fits.
export function to<K, V>(topic: Topic<K, V>, options?: ToOptions<K, V>): <R>(s: Stream<K, V, R>) => Sink<R>
export function to(
  target: Topic<any, any> | ((key: any, value: any, record: any) => string),
  given: Partial<ToChosenOptions<any, any>> & ToOptions<any, any> = {},
): (s: any) => Sink<any> {
  const { partitioner, onProductionFailure } = given
  const isChosen = typeof target === "function"
  const { key, value } = isChosen ? given : target
  if (key === undefined || value === undefined)
    throw new PipelineError("to: a topic that is chosen needs key and value")
  const functions = {
    ...(isChosen ? { choose: target } : partitioner && { partitioner }),
    ...(onProductionFailure && { onRecordFailure: () => onProductionFailure }),
  }
  return (s) => {
    const options: LogicalNode["options"] = isChosen ? {} : { topic: target.name }
    const inputs = [streamNode("to", s)]
    return new Flow("sink", makeNode({ operator: toOperator, inputs, options, functions, key, value })) as never
  }
}

/** A topic that is written to, with the serdes bound to it. */
interface Destination {
  readonly topic: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
}

class To extends Processor {
  readonly #fixed: Destination | undefined
  readonly #chosen = new Map<string, Destination>()
  readonly #partitioner = this.node.logical.functions["partitioner"] as ToOptions<unknown, unknown>["partitioner"]

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    this.#fixed = node.topic === undefined ? undefined : this.#destination(node.topic)
  }

  #destination(topic: string): Destination {
    const { node, context } = this
    return { topic, key: context.serde(node.key, topic, true), value: context.serde(node.value, topic, false) }
  }

  #chooseTopic(record: StreamRecord): Destination {
    let name: string
    try {
      const value = record.value === TOMBSTONE ? null : record.value
      const shown = record.value === TOMBSTONE ? record.with(null) : record
      name = this.node.logical.functions["choose"]!(record.key, value, shown) as string
      assertName("topic", name)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    let found = this.#chosen.get(name)
    if (found === undefined) this.#chosen.set(name, (found = this.#destination(name)))
    return found
  }

  receive(record: StreamRecord): void {
    const to = this.#fixed ?? this.#chooseTopic(record)
    let key: Uint8Array | null
    let value: Uint8Array | null
    try {
      key = isAbsent(record.key) ? null : to.key.encode(record.key)
      value = isAbsent(record.value) ? null : to.value.encode(record.value)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    if (this.#partitioner === undefined) return this.#write(to.topic, record, ANY_PARTITION, key, value)
    const partitions = this.#choose(to.topic, record)
    if (partitions.length === 0) this.context.drop("skipped", record)
    for (const partition of partitions) this.#write(to.topic, record, partition, key, value)
  }

  #write(
    topic: string,
    record: StreamRecord,
    partition: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
  ): void {
    this.context.metrics.emitted++
    this.context.output.append(topic, partition, record.timestamp, key, value, record.headers)
  }

  #choose(topic: string, record: StreamRecord): readonly number[] {
    const count = this.context.output.partitionCount(topic)
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

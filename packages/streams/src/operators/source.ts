/**
 * source: reads a topic.
 *
 * Semantics: decodes each record's key and value; a null value becomes a tombstone. Keys keep their partition: the stream
 * is partitioned by key as far as its producers are.
 * Time: the record's own timestamp, or what an extractor tells (source-time.ts); a negative one is an error unless said
 * otherwise (Kafka Streams' FailOnInvalidTimestamp).
 * Null keys pass: operators that depend on the key drop them.
 * Bytes that do not decode fail the task, naming the record, unless a handler says otherwise (dsl/failure.ts); so does a
 * schema id that the registry does not have. An unknown schema id is thrown as it is, before anything was
 * done with the record, so that the worker can fetch the schema and process the same record again.
 */
import type { Serde } from "@millrace/schema"
import { OWN_CLOCK, type StreamRecord } from "../dsl/record.ts"
import type { FailureHandler } from "../dsl/failure.ts"
import { idleFunctions, type IdleOptions } from "../dsl/idle.ts"
import { type Stream, streamOf } from "../dsl/stream.ts"
import type { InvalidTimestampPolicy, TimestampOptions } from "../dsl/timestamp.ts"
import type { Topic, TopicPattern } from "../dsl/topic.ts"
import { PipelineError } from "../errors.ts"
import type { OffsetMetadata } from "../task/offset-metadata.ts"
import type { TaskContext } from "../task/context.ts"
import type { RecordQueue } from "../task/record-queue.ts"
import { makeNode } from "../topology/node.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { mergeNodes } from "./merge.ts"
import { DISCARD, fanOut, type Operator, type Receiver } from "./operator.ts"
import { SourceTime } from "./source-time.ts"
import { RecordDecoder, type SourceReader } from "./source-reader.ts"

export const sourceOperator: Operator = {
  kind: "source",
  make: () => {
    throw new PipelineError("a source has a reader, not a processor")
  },
}

export interface SourceOptions<K = any, V = any> extends TimestampOptions<K, V>, IdleOptions {
  /** What becomes of records whose bytes do not decode. */
  readonly onDeserializationFailure?: FailureHandler
}

/** What `stream` reads: a topic, all topics that match a pattern when the pipeline is started, or several. */
type Source = Topic<any, any> | TopicPattern<any, any> | readonly [Topic<any, any>, ...Topic<any, any>[]]

/** One shape for all sources, not overloads: an error in the options is then told where it is. */
type KeyOf<T> = T extends readonly unknown[] ? KeyOf<T[number]> : T extends { readonly key: Serde<infer K> } ? K : never
type ValueOf<T> = T extends readonly unknown[]
  ? ValueOf<T[number]>
  : T extends { readonly value: Serde<infer V> }
    ? V
    : never

/** The records of a topic, as a stream; those of several topics in the order that `merge` gives them. */
export function stream<const T extends Source>(
  source: T,
  options: SourceOptions<KeyOf<T>, ValueOf<T>> = {},
): Stream<KeyOf<T>, ValueOf<T>> {
  if ("pattern" in source) return streamOf(patternNode(source, options))
  const topics: readonly Topic<any, any>[] = "name" in source ? [source] : source
  const nodes = topics.map((one) => sourceNode(one, options))
  if (nodes.length === 0) throw new PipelineError("stream: name at least one topic")
  return streamOf(nodes.length === 1 ? nodes[0]! : mergeNodes(nodes))
}

export function sourceNode({ name, key, value }: Topic<any, any>, options: SourceOptions = {}) {
  const { timestamp, onInvalidTimestamp, onDeserializationFailure } = options
  const functions = {
    ...(timestamp && { timestamp: () => timestamp }),
    ...(onInvalidTimestamp && { onInvalidTimestamp: () => onInvalidTimestamp }),
    ...(onDeserializationFailure && { onRecordFailure: () => onDeserializationFailure }),
    ...idleFunctions(name, options),
  }
  return makeNode({ operator: sourceOperator, options: { topic: name }, functions, key, value })
}

/** Stands for its topics until it is known which they are (topology/plan.ts); drawn by its pattern. */
function patternNode({ pattern, key, value }: TopicPattern<any, any>, options: SourceOptions) {
  const node = sourceNode({ name: String(pattern), key, value }, options)
  return { ...node, options: { ...node.options, pattern: pattern.source, flags: pattern.flags } }
}

const NO_TIMES = {}

export class TopicReader implements SourceReader {
  next: Receiver = DISCARD
  readonly #decoder: RecordDecoder
  readonly #time: SourceTime | undefined

  constructor(node: PhysicalNode, context: TaskContext) {
    this.#decoder = new RecordDecoder(node, context)
    const { timestamp, onInvalidTimestamp } = node.logical.functions
    const extract = timestamp?.() as TimestampOptions<any, any>["timestamp"]
    const policy = (onInvalidTimestamp?.() ?? "fail") as InvalidTimestampPolicy
    if (extract === undefined && policy === "fail") return
    this.#time = new SourceTime(this.#decoder, context, extract, policy)
  }

  link(receivers: readonly Receiver[]): void {
    this.next = fanOut(receivers)
  }

  read(queue: RecordQueue): StreamRecord | undefined {
    if (this.#time !== undefined) return this.#time.take(queue)
    return this.#decoder.decode(queue, queue.head!, OWN_CLOCK, queue.head!.headers())
  }

  times(queue: RecordQueue): OffsetMetadata["upstream"] {
    return this.#time?.times(queue) ?? NO_TIMES
  }

  restore(queue: RecordQueue, metadata: OffsetMetadata | undefined): void {
    this.#time?.restore(queue, metadata)
  }

  commit(): void {
    this.#time?.commit()
  }

  rollback(): void {
    this.#time?.rollback()
  }
}

/**
 * The writing half of a repartition, put into the plan before an operator that depends on a changed key.
 *
 * State: its stream time, a cell in the metadata of the committed offsets.
 * Time: the record's timestamp stays; a header carries the task's times (task/repartition-time.ts). A partition that was
 * not told the horizon's last multiple of `MARK_INTERVAL_MS` by a record gets a time mark of it when the transaction
 * commits: so what is told in the end does not depend on where transactions end. The horizon is the greatest timestamp that
 * came to the sink, or what it is told behind another repartition; no record is written later whose clock is below it.
 * Key: null keys are dropped and counted: they belong to no partition. Tombstones and null values are written as null,
 * and read as tombstones.
 */
import { partitionForKey } from "@millrace/client/producer/murmur2"
import type { Serde } from "@millrace/schema"
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import { PipelineError } from "../errors.ts"
import type { TaskContext } from "../task/context.ts"
import { encodeTime, TIME_HEADER } from "../task/repartition-time.ts"
import { StreamTime } from "../task/stream-time.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { type Operator, Processor } from "./operator.ts"
import { checkedPartition } from "./partitioner.ts"

type Partitioner = (key: unknown, value: unknown, partitions: number) => number | undefined

/** In event time. */
const MARK_INTERVAL_MS = 1_000

export const repartitionSink: Operator = {
  kind: "repartition-sink",
  make: (node, context) => new RepartitionSink(node, context),
}

export const repartitionSource: Operator = {
  kind: "repartition-source",
  make: () => {
    throw new PipelineError("a repartition topic has a reader, not a processor")
  },
}

class RepartitionSink extends Processor {
  readonly #topic: string
  readonly #key: Serde<unknown>
  readonly #value: Serde<unknown>
  readonly #time: StreamTime
  readonly #partitioner = this.node.logical.functions["partitioner"] as Partitioner | undefined
  /** The horizon that each partition was last told. */
  readonly #told: Float64Array

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    this.#topic = node.topic!
    this.#key = context.serde(node.key, this.#topic, true)
    this.#value = context.serde(node.value, this.#topic, false)
    this.#time = new StreamTime(context.cell(node.name))
    this.#told = new Float64Array(context.output.partitionCount(this.#topic)).fill(this.#time.horizon)
    context.atCommit(node.level, () => this.#mark())
    context.atAbort(() => this.#told.fill(-1))
  }

  override advance(time: number): void {
    this.#time.advance(time)
  }

  receive(record: StreamRecord): void {
    const clock = this.#time.observe(record)
    if (record.key === null || record.key === undefined) return this.context.drop("null-key", record)
    let key: Uint8Array
    let value: Uint8Array | null
    try {
      key = this.#key.encode(record.key)
      value = isAbsent(record.value) ? null : this.#value.encode(record.value)
    } catch (cause) {
      throw this.failed(record, cause)
    }
    const partition = this.#choose(record) ?? partitionForKey(key, this.#told.length)
    const header = { key: TIME_HEADER, value: this.#times(clock, this.#time.horizon) }
    const headers = record.headers.length === 0 ? [header] : [...record.headers, header]
    this.#told[partition] = this.#time.horizon
    this.context.metrics.emitted++
    this.context.output.append(this.#topic, partition, record.timestamp, key, value, headers)
  }

  #choose(record: StreamRecord): number | undefined {
    if (this.#partitioner === undefined) return undefined
    const count = this.#told.length
    try {
      const value = isAbsent(record.value) ? null : record.value
      return checkedPartition(this.#partitioner(record.key, value, count), count)
    } catch (cause) {
      throw this.failed(record, cause)
    }
  }

  #times(clock: number, horizon: number): Uint8Array {
    return encodeTime({
      clock,
      horizon,
      upstreamPartition: this.context.taskId.partition,
      upstreamTasks: this.context.taskCount,
    })
  }

  #mark(): void {
    const { horizon } = this.#time
    const time = Math.floor(horizon / MARK_INTERVAL_MS) * MARK_INTERVAL_MS
    for (let partition = 0; partition < this.#told.length; partition++) {
      if (time <= this.#told[partition]!) continue
      this.#told[partition] = time
      const headers = [{ key: TIME_HEADER, value: this.#times(time, time) }]
      this.context.output.append(this.#topic, partition, time, null, null, headers)
    }
  }
}

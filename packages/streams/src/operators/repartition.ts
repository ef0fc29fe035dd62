/**
 * The writing half of a repartition, put into the plan before an operator that depends on a changed key.
 *
 * State: its stream time, and whether it is idle: cells in the metadata of the committed offsets.
 * Time: the record's timestamp stays; a header carries the task's times (task/repartition-time.ts). A partition that was
 * not told the horizon's last multiple of `MARK_INTERVAL_MS` by a record gets a time mark of it when the transaction
 * commits: so what is told in the end does not depend on where transactions end. The horizon is the greatest timestamp that
 * came to the sink, or what it is told behind another repartition; no record is written later whose clock is below it.
 * A sink that is idle tells that, and the horizon it had, until a record or a time comes to it.
 * Key: null keys are dropped and counted: they belong to no partition. Tombstones and null values are written as null,
 * and read as tombstones.
 */
import { partitionForKey } from "@millrace/client/producer/murmur2"
import type { Serde } from "@millrace/schema"
import { isAbsent, type StreamRecord } from "../dsl/record.ts"
import { PipelineError } from "../errors.ts"
import { type Cell, NO_TIME } from "../state/cell.ts"
import type { TaskContext } from "../task/context.ts"
import type { FeedingSources } from "../task/idle-sources.ts"
import { encodeTime, IDLE_HORIZON, TIME_HEADER } from "../task/repartition-time.ts"
import { StreamTime } from "../task/stream-time.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { type Operator, Processor } from "./operator.ts"
import { checkedPartition } from "./partitioner.ts"

/** Of the cell that keeps it. */
const IDLE = 1

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
  readonly #idle: Cell
  /** Told a time, or given a record, in the open transaction. */
  #hasMoved = false
  /** null: nothing that says when it is idle. */
  #fedBy: FeedingSources | null | undefined
  readonly #partitioner = this.node.logical.functions["partitioner"] as Partitioner | undefined
  #encoded: Uint8Array | undefined
  #encodedClock = NO_TIME
  #encodedHorizon = NO_TIME
  /** The horizon that each partition was last told. */
  readonly #told: Float64Array
  /** The horizon that partitions were told with the last idle one. */
  #toldIdle = NO_TIME

  constructor(node: PhysicalNode, context: TaskContext) {
    super(node, context)
    this.#topic = node.topic!
    this.#key = context.serde(node.key, this.#topic, true)
    this.#value = context.serde(node.value, this.#topic, false)
    this.#time = new StreamTime(context.cell(node.name))
    this.#idle = context.cell(`${node.name}/idle`)
    const told = this.#idle.value === IDLE ? IDLE_HORIZON : this.#time.horizon
    this.#toldIdle = this.#time.horizon
    this.#told = new Float64Array(context.output.partitionCount(this.#topic)).fill(told)
    context.atCommit(node.level, () => this.#mark())
    context.atAbort(() => {
      this.#told.fill(-1)
      this.#hasMoved = false
    })
  }

  override advance(time: number): void {
    this.#time.advance(time)
    this.#idle.value = NO_TIME
    this.#hasMoved = true
  }

  override idle(): void {
    this.#idle.value = IDLE
  }

  receive(record: StreamRecord): void {
    const clock = this.#time.observe(record)
    this.#idle.value = NO_TIME
    this.#hasMoved = true
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

  /** Records that come together have one time, most often: their headers are the same bytes. */
  #times(clock: number, horizon: number): Uint8Array {
    if (this.#encoded !== undefined && clock === this.#encodedClock && horizon === this.#encodedHorizon)
      return this.#encoded
    this.#encodedClock = clock
    this.#encodedHorizon = horizon
    this.#encoded = encodeTime({
      clock,
      horizon,
      upstreamPartition: this.context.taskId.partition,
      upstreamTasks: this.context.taskCount,
    })
    return this.#encoded
  }

  /** With sources that say when they are idle: it is idle too when nothing has come to it for so long. */
  #noticeSilence(): void {
    const hasMoved = this.#hasMoved
    this.#hasMoved = false
    if (this.#fedBy === undefined) this.#fedBy = this.context.idleSources?.ofSink(this.node) ?? null
    if (this.#fedBy === null) return
    const { now } = this.context.punctuators
    const silentAt = this.context.cell(`${this.node.name}/silent-at`)
    if (hasMoved || silentAt.value === NO_TIME) silentAt.value = now + this.#fedBy.afterMs
    else if (silentAt.value <= now && this.#fedBy.hadNothingAt(silentAt.value)) this.idle()
  }

  #mark(): void {
    this.#noticeSilence()
    const { horizon } = this.#time
    const isIdle = this.#idle.value === IDLE
    const time = isIdle ? IDLE_HORIZON : Math.floor(horizon / MARK_INTERVAL_MS) * MARK_INTERVAL_MS
    const isTold = (told: number): boolean =>
      isIdle ? told === IDLE_HORIZON && horizon === this.#toldIdle : told !== IDLE_HORIZON && time <= told
    for (let partition = 0; partition < this.#told.length; partition++) {
      if (isTold(this.#told[partition]!)) continue
      this.#told[partition] = time
      const headers = [{ key: TIME_HEADER, value: this.#times(horizon, time) }]
      this.context.output.append(this.#topic, partition, Math.max(0, horizon), null, null, headers)
    }
    if (isIdle) this.#toldIdle = horizon
  }
}

/**
 * Event time that is not the record's own timestamp, and what becomes of records without one.
 *
 * An extractor tells the time from the value; it is also given the partition's time, the greatest taken from it so far.
 * A tombstone has no value to tell it from and keeps its own timestamp. What is no time (negative, not a number) is
 * treated as `onInvalidTimestamp` says. The wall clock is the transaction's: one time for all its records.
 *
 * The task takes the record with the smallest time first, so heads of queues are decoded when they are compared; what
 * fails then is said when the record's turn comes. State: each partition's time, in the metadata of its committed offset.
 */
import { UnknownSchemaId } from "@millrace/schema"
import { OWN_CLOCK, type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { InvalidTimestampPolicy, TimestampExtractor } from "../dsl/timestamp.ts"
import { Cell, NO_TIME } from "../state/cell.ts"
import type { TaskContext } from "../task/context.ts"
import type { OffsetMetadata } from "../task/offset-metadata.ts"
import type { RecordQueue } from "../task/record-queue.ts"
import type { RecordDecoder } from "./source-reader.ts"

/** The head of a queue, looked at. */
interface Head {
  /** By which it is compared. */
  readonly time: number
  /** undefined for one that is passed over, or failed. */
  readonly record: StreamRecord | undefined
  readonly failure?: unknown
}

export class SourceTime {
  readonly #decoder: RecordDecoder
  readonly #context: TaskContext
  readonly #extract: TimestampExtractor<any, any> | "wall-clock" | undefined
  readonly #policy: InvalidTimestampPolicy
  readonly #partitionTimes = new Map<RecordQueue, Cell>()
  readonly #heads = new Map<RecordQueue, Head>()

  constructor(
    decoder: RecordDecoder,
    context: TaskContext,
    extract: TimestampExtractor<any, any> | "wall-clock" | undefined,
    policy: InvalidTimestampPolicy,
  ) {
    this.#decoder = decoder
    this.#context = context
    this.#extract = extract
    this.#policy = policy
  }

  restore(queue: RecordQueue, metadata: OffsetMetadata | undefined): void {
    const text = metadata?.upstream[nameOf(queue)]
    this.#partitionTimes.set(queue, new Cell(text === undefined ? NO_TIME : Number.parseInt(text, 36)))
    queue.timestampOf = () => this.#look(queue).time
  }

  /** The head's record; undefined when it is passed over. */
  take(queue: RecordQueue): StreamRecord | undefined {
    const { record, failure } = this.#look(queue)
    this.#heads.delete(queue)
    if (failure !== undefined) return this.#decoder.fail(queue, queue.head!, failure)
    if (record === undefined) {
      this.#context.drop("skipped", undefined)
      return undefined
    }
    const time = this.#partitionTimes.get(queue)!
    time.value = Math.max(time.value, record.timestamp)
    return record
  }

  #look(queue: RecordQueue): Head {
    let head = this.#heads.get(queue)
    if (head === undefined) this.#heads.set(queue, (head = this.#read(queue)))
    return head
  }

  #read(queue: RecordQueue): Head {
    const partitionTime = this.#partitionTimes.get(queue)!.value
    const raw = queue.head!
    try {
      const record = this.#decoder.parse(queue, raw, OWN_CLOCK, raw.headers())
      const given = this.#timeOf(record, partitionTime)
      const time = isTime(given) ? Math.floor(given) : this.#instead(given, partitionTime)
      if (time === undefined) return { time: partitionTime, record: undefined }
      return { time, record: time === record.timestamp ? record : record.derive(record.key, record.value, time) }
    } catch (failure) {
      // Its schema is fetched first; nothing was done with the record yet.
      if (failure instanceof UnknownSchemaId) throw failure
      return { time: partitionTime, record: undefined, failure }
    }
  }

  #timeOf(record: StreamRecord, partitionTime: number): number {
    if (this.#extract === "wall-clock") return this.#context.punctuators.now
    if (this.#extract === undefined || record.value === TOMBSTONE) return record.timestamp
    return this.#extract(record.value, record as never, partitionTime)
  }

  /** undefined: the record is skipped. */
  #instead(given: unknown, partitionTime: number): number | undefined {
    if (this.#policy === "skip") return undefined
    if (this.#policy === "wall-clock") return this.#context.punctuators.now
    if (this.#policy === "partition-time" && partitionTime !== NO_TIME) return partitionTime
    const earlier = this.#policy === "partition-time" ? ", and its partition has none yet" : ""
    throw new TypeError(`its timestamp is ${String(given)}, and event time needs one${earlier}`)
  }

  times(queue: RecordQueue): OffsetMetadata["upstream"] {
    const { value } = this.#partitionTimes.get(queue)!
    return value === NO_TIME ? {} : { [nameOf(queue)]: value.toString(36) }
  }

  commit(): void {
    for (const time of this.#partitionTimes.values()) time.commit()
    // The next transaction has its own wall-clock time.
    this.#heads.clear()
  }

  rollback(): void {
    for (const time of this.#partitionTimes.values()) time.rollback()
    this.#heads.clear()
  }
}

const isTime = (given: unknown): given is number => typeof given === "number" && given >= 0 && Number.isFinite(given)

const nameOf = ({ topic, partition }: RecordQueue): string => `${topic}-${partition}`

/**
 * The reading half of a repartition: takes the times off each record (task/repartition-time.ts) and absorbs time marks.
 *
 * Time: a record is judged by the clock it carries; the horizon of the partition is the least of all upstream tasks' own.
 */
import { NO_HEADERS, OWN_CLOCK, type StreamRecord } from "../dsl/record.ts"
import type { TaskContext } from "../task/context.ts"
import type { OffsetMetadata } from "../task/offset-metadata.ts"
import type { RecordQueue } from "../task/record-queue.ts"
import { NO_TIME } from "../state/cell.ts"
import { decodeTime, IDLE_HORIZON, TIME_HEADER, UpstreamTimes } from "../task/repartition-time.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import { DISCARD, fanOut, type Receiver } from "./operator.ts"
import { RecordDecoder, type SourceReader } from "./source-reader.ts"

export class RepartitionReader implements SourceReader {
  next: Receiver = DISCARD
  readonly #decoder: RecordDecoder
  readonly #times = new Map<RecordQueue, UpstreamTimes>()

  constructor(node: PhysicalNode, context: TaskContext) {
    this.#decoder = new RecordDecoder(node, context)
  }

  link(receivers: readonly Receiver[]): void {
    this.next = fanOut(receivers)
  }

  read(queue: RecordQueue): StreamRecord | undefined {
    const raw = queue.head!
    const headers = raw.headers()
    const time = decodeTime(headers)
    const isMark = raw.key() === null && raw.value() === null
    // Decoded before the times move: an unknown schema id must leave everything as it was.
    const rest = headers.length <= 1 ? NO_HEADERS : headers.filter(({ key }) => key !== TIME_HEADER)
    const record = isMark ? undefined : this.#decoder.decode(queue, raw, time?.clock ?? OWN_CLOCK, rest)
    if (time !== undefined) {
      const times = this.#times.get(queue)!
      times.observe(time)
      tell(queue, times)
    }
    return record
  }

  times(queue: RecordQueue): OffsetMetadata["upstream"] {
    return { [`${queue.topic}-${queue.partition}`]: this.#times.get(queue)!.toText() }
  }

  untold(queue: RecordQueue): readonly number[] {
    return this.#times.get(queue)!.untold
  }

  restore(queue: RecordQueue, metadata: OffsetMetadata | undefined): void {
    const times = new UpstreamTimes()
    times.restore(metadata?.upstream[`${queue.topic}-${queue.partition}`] ?? "")
    this.#times.set(queue, times)
    tell(queue, times)
  }

  commit(): void {
    for (const times of this.#times.values()) times.commit()
  }

  rollback(): void {
    for (const [queue, times] of this.#times) {
      times.rollback()
      tell(queue, times)
    }
  }
}

function tell(queue: RecordQueue, times: UpstreamTimes): void {
  queue.horizon = times.least
  queue.idleTime = queue.horizon === IDLE_HORIZON ? times.greatest : NO_TIME
}

/**
 * The times that travel with repartitioned records, in one header:
 *
 *     "millrace.time" -> clock: double | horizon: double | upstream partition: uint32 | upstream tasks: uint32
 *
 * A record with neither key nor value is a time mark: it carries the times to a partition that got no record for a while
 * and is no record of the stream (records without a key are never repartitioned).
 */
import type { Headers } from "../dsl/record.ts"
import { NO_TIME } from "../state/cell.ts"

export const TIME_HEADER = "millrace.time"
const TIME_HEADER_BYTES = 24
/**
 * More would not fit the metadata of a committed offset, where the reader keeps them (4 KiB on a broker's defaults). With
 * more upstream tasks the horizon stays unknown: nothing is late for it, and nothing is forgotten.
 */
export const UPSTREAM_TASKS_MAX = 256

/** Where a header is read: a view for each costs more than the copy. */
const read = ((buffer) => ({ bytes: new Uint8Array(buffer), view: new DataView(buffer) }))(
  new ArrayBuffer(TIME_HEADER_BYTES),
)

export interface RepartitionTime {
  readonly clock: number
  readonly horizon: number
  readonly upstreamPartition: number
  readonly upstreamTasks: number
}

export function encodeTime(time: RepartitionTime): Uint8Array {
  const out = Buffer.allocUnsafe(TIME_HEADER_BYTES)
  out.writeDoubleBE(time.clock, 0)
  out.writeDoubleBE(time.horizon, 8)
  out.writeUInt32BE(time.upstreamPartition, 16)
  out.writeUInt32BE(time.upstreamTasks, 20)
  return out
}

export function decodeTime(headers: Headers): RepartitionTime | undefined {
  let bytes: Uint8Array | null | undefined
  for (const { key, value } of headers) if (key === TIME_HEADER) bytes = value
  if (bytes?.length !== TIME_HEADER_BYTES) return undefined
  for (let at = 0; at < TIME_HEADER_BYTES; at++) read.bytes[at] = bytes[at]!
  return {
    clock: read.view.getFloat64(0),
    horizon: read.view.getFloat64(8),
    upstreamPartition: read.view.getUint32(16),
    upstreamTasks: read.view.getUint32(20),
  }
}

/** The horizon of a task that is idle: nobody waits for it, until it tells a time again. Its clock is the time it had come to. */
export const IDLE_HORIZON = Number.POSITIVE_INFINITY

const IDLE_TEXT = "*"

/** What an upstream task has told last. */
interface UpstreamTime {
  /** Its horizon; of one that is idle, that which it had. */
  readonly time: number
  readonly isIdle: boolean
}

const UNTOLD: UpstreamTime = { time: NO_TIME, isIdle: false }

/** The last horizon of each upstream task, as one input partition has seen them. */
export class UpstreamTimes {
  #times: UpstreamTime[] = []
  #committed: readonly UpstreamTime[] = []

  observe({ clock, horizon, upstreamPartition, upstreamTasks }: RepartitionTime): void {
    if (upstreamTasks > UPSTREAM_TASKS_MAX) return
    while (this.#times.length < upstreamTasks) this.#times.push(UNTOLD)
    const known = this.#times[upstreamPartition]
    if (known === undefined) return
    const isIdle = horizon === IDLE_HORIZON
    const time = isIdle ? clock : horizon
    if (time <= known.time && isIdle === known.isIdle) return
    this.#times[upstreamPartition] = { time: Math.max(time, known.time), isIdle }
  }

  /** The least of all; NO_TIME while some upstream task has not been heard of, IDLE_HORIZON while all are idle. */
  get least(): number {
    if (this.#times.length === 0) return NO_TIME
    let least = IDLE_HORIZON
    for (const { time, isIdle } of this.#times) if (!isIdle && time < least) least = time
    return least
  }

  /** The time that the furthest had come to. */
  get greatest(): number {
    let greatest = NO_TIME
    for (const { time } of this.#times) if (time > greatest) greatest = time
    return greatest
  }

  /** Upstream partitions whose tasks have told no time; none before something has come from one of them. */
  get untold(): readonly number[] {
    return this.#times.flatMap(({ time, isIdle }, partition) => (time === NO_TIME && !isIdle ? [partition] : []))
  }

  get isDirty(): boolean {
    return this.#times.some((time, index) => time !== this.#committed[index])
  }

  commit(): void {
    this.#committed = [...this.#times]
  }

  rollback(): void {
    this.#times = [...this.#committed]
  }

  /** Base 36, since a committed offset's metadata is short. */
  toText(): string {
    return this.#times.map(({ time, isIdle }) => `${Math.trunc(time).toString(36)}${isIdle ? IDLE_TEXT : ""}`).join(",")
  }

  restore(text: string): void {
    const parsed = (told: string) => ({ time: Number.parseInt(told, 36), isIdle: told.endsWith(IDLE_TEXT) })
    this.#times = text === "" ? [] : text.split(",").map(parsed)
    this.commit()
  }
}

/**
 * What happens in a task by time, beside its records: timers and punctuations.
 *
 * Stream time is the greatest timestamp of the records that the task took, or the least horizon where they come through
 * repartition topics. It moves before a record is processed: timers are told then, punctuations once the record is through.
 * Both take their turn at the gate of their operator's level, so that they happen between the same records whatever waits.
 *
 * Wall-clock time is decided once per transaction, when it is first asked for, and commits with the offsets; it never goes
 * back, not even behind a restart on a machine whose clock is slow. Wall-clock punctuations that are due run at the
 * beginning of a transaction, before its first record. So what a transaction does follows from its records and its time.
 *
 * State: cells in the metadata of the committed offsets: stream time, wall-clock time, and when each punctuation is next
 * due. So a restart neither repeats nor skips one.
 */
import { OWN_CLOCK, type StreamRecord } from "../dsl/record.ts"
import type { Receiver } from "../operators/operator.ts"
import { type Cell, NO_TIME } from "../state/cell.ts"

interface Schedule {
  readonly intervalMs: number
  readonly due: Cell
  readonly punctuate: (time: number) => void
}

export interface PunctuatorsOptions {
  readonly cell: (name: string) => Cell
  readonly now: () => number
  /** The entry to a level: what it answers runs `receive` in its turn there. */
  readonly gate: (level: number, receiver: Receiver) => Receiver
}

/** What enters gates in the place of a record. */
const NO_RECORD = undefined as unknown as StreamRecord

export class Punctuators {
  readonly #options: PunctuatorsOptions
  readonly #timers: Array<(time: number) => void> = []
  readonly #stream: Schedule[] = []
  readonly #wall: Schedule[] = []
  #time: Cell | undefined
  #wallCell: Cell | undefined
  #now: number | undefined

  constructor(options: PunctuatorsOptions) {
    this.#options = options
  }

  /** The task's stream time; `NO_TIME` before its first record. Kept from the first call on, which a constructor makes. */
  get streamTime(): number {
    return this.#streamCell.value
  }

  get #streamCell(): Cell {
    return (this.#time ??= this.#options.cell("stream-time"))
  }

  /** The open transaction's wall-clock time, in milliseconds of the epoch. */
  get now(): number {
    this.#wallCell ??= this.#options.cell("wall-clock")
    if (this.#now === undefined) {
      this.#now = Math.max(this.#options.now(), this.#wallCell.value)
      this.#wallCell.value = this.#now
    }
    return this.#now
  }

  /** Calls back whenever stream time has moved, before the record that moved it. */
  onStreamTime(level: number, advance: (time: number) => void): void {
    void this.#streamCell
    this.#timers.push(this.#inTurn(level, advance))
  }

  /** At the first record, and then whenever stream time reaches a multiple of the interval; once after a gap. */
  everyStreamTime(name: string, level: number, intervalMs: number, punctuate: (time: number) => void): void {
    void this.#streamCell
    this.#stream.push({ intervalMs, due: this.#options.cell(name), punctuate: this.#inTurn(level, punctuate) })
  }

  /** An interval from now, and then every interval; ticks that were missed are one. */
  everyWallClock(name: string, level: number, intervalMs: number, punctuate: (time: number) => void): void {
    const due = this.#options.cell(name)
    if (due.value === NO_TIME) due.restore(this.#options.now() + intervalMs)
    this.#wall.push({ intervalMs, due, punctuate: this.#inTurn(level, punctuate) })
  }

  #inTurn(level: number, run: (time: number) => void): (time: number) => void {
    if (level === 0) return run
    return (time) => this.#options.gate(level, { receive: () => run(time) }).receive(NO_RECORD)
  }

  /** Milliseconds until the next wall-clock punctuation; undefined when there is none. */
  get untilDue(): number | undefined {
    if (this.#wall.length === 0) return undefined
    let due = Number.POSITIVE_INFINITY
    for (const one of this.#wall) due = Math.min(due, one.due.value)
    return Math.max(0, due - this.#options.now())
  }

  /** Before a transaction's first record: runs the wall-clock punctuations that are due; answers whether any was. */
  begin(): boolean {
    if (this.untilDue !== 0) return false
    const { now } = this
    for (const { intervalMs, due, punctuate } of this.#wall) {
      if (due.value > now) continue
      due.value += intervalMs * (Math.floor((now - due.value) / intervalMs) + 1)
      punctuate(now)
    }
    return true
  }

  /** A record, or what tells time, has come: moves stream time to its own, or what is told; answers whether it moved. */
  observe(record: StreamRecord | undefined, told: { readonly time: number } | undefined): boolean {
    if (this.#time === undefined) return false
    const time = record?.clock === OWN_CLOCK ? record.timestamp : (told?.time ?? NO_TIME)
    if (time <= this.#time.value) return false
    this.#time.value = time
    for (const advance of this.#timers) advance(time)
    return true
  }

  /** The record that moved stream time is through. */
  punctuate(): void {
    const { value: time } = this.#streamCell
    for (const { intervalMs, due, punctuate } of this.#stream) {
      if (time < due.value) continue
      due.value = Math.floor(time / intervalMs) * intervalMs + intervalMs
      punctuate(time)
    }
  }

  /** The transaction ended: the next one has its own time. */
  end(): void {
    this.#now = undefined
  }
}

/**
 * An operator's stream time: how far event time has come where it stands.
 *
 * Every operator keeps its own, since others before it may hold records back. It is a cell, so an abort takes it back.
 * Two times are told apart. A record is judged late by its clock; what may be forgotten goes by the horizon, the time
 * that no source of this operator will go below. Records of ordinary topics move the horizon and are judged by it: both
 * are the greatest timestamp seen, as in Kafka Streams. Repartitioned records have a clock, that of their own upstream
 * task, and move nothing: the horizon behind a repartition is told (task/time-advance.ts), the least of all upstream
 * tasks. Where that is above a record's clock all the same, since its upstream task was not waited for, the record is judged
 * by the horizon: so what is not late is never forgotten.
 */
import { OWN_CLOCK, type StreamRecord } from "../dsl/record.ts"
import type { Cell } from "../state/cell.ts"

export class StreamTime {
  readonly #cell: Cell

  constructor(cell: Cell) {
    this.#cell = cell
  }

  /** Takes a record's times in and answers the time by which it is judged. */
  observe(record: StreamRecord): number {
    if (record.clock !== OWN_CLOCK) return Math.max(record.clock, this.#cell.value)
    this.advance(record.timestamp)
    return this.#cell.value
  }

  advance(time: number): void {
    if (time > this.#cell.value) this.#cell.value = time
  }

  get horizon(): number {
    return this.#cell.value
  }
}

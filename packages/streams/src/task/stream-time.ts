/**
 * An operator's stream time: how far event time has come where it stands.
 *
 * Every operator keeps its own, since others before it may hold records back. It is a cell, so an abort takes it back.
 * Two times are told apart. A record is judged late by its clock; what may be forgotten goes by the horizon, the time
 * that no source of this operator will go below. For records of ordinary topics both are the greatest timestamp seen, as
 * in Kafka Streams. For repartitioned records the clock is their own upstream task's time and the horizon the least of
 * all upstream tasks, so horizon <= clock: what is not late is never forgotten.
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
    const own = record.clock === OWN_CLOCK
    const horizon = own ? record.timestamp : record.origin.horizon
    if (horizon > this.#cell.value) this.#cell.value = horizon
    return own ? this.#cell.value : record.clock
  }

  get horizon(): number {
    return this.#cell.value
  }
}

/**
 * How many records a task lets wait behind effects and subscriptions in one transaction.
 *
 * A commit waits for all of them, and only so long; what is aborted for being too slow is read again, all of it. So the
 * number must fit the time, which nobody knows beforehand: it is steered by how long commits had to wait. It grows while
 * it is used and they hardly wait, and is cut when they wait long; after enough timeouts a single record is left, whose
 * effect has a timeout below the limit. Calls that are made at the same time take no longer than one: as many are begun with,
 * and no fewer wait because one takes long.
 */
const WAITING_START = 64
/** Of the time that a commit may wait: less is room for more, more is too much. */
const PART_SHORT = 1 / 16
const PART_LONG = 1 / 4

export class Intake {
  readonly #ceiling: number
  readonly #atOnce: number
  #max: number

  /** `atOnce` calls are made at the same time; undefined where nothing says how many. */
  constructor(ceiling: number, atOnce: number | undefined) {
    this.#ceiling = ceiling
    this.#atOnce = Math.min(ceiling, atOnce ?? 1)
    this.#max = Math.min(WAITING_START, ceiling, atOnce ?? WAITING_START)
  }

  get max(): number {
    return this.#max
  }

  /** A commit waited for so many records; `part` of the time that it may, 1 when that was not enough. */
  drained(waiting: number, part: number): void {
    if (part >= 1) this.#max = Math.max(1, Math.floor(Math.min(waiting, this.#max) / 4))
    else if (part > PART_LONG) this.#max = Math.max(Math.min(this.#max, this.#atOnce), Math.floor(this.#max / 2))
    else if (waiting >= this.#max / 2 && (part < PART_SHORT || this.#max < this.#atOnce))
      this.#max = Math.min(this.#ceiling, this.#max * 2)
  }
}

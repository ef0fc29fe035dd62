/**
 * One number that belongs to the transaction: an operator's stream time, an emit mark.
 *
 * The open transaction sees its own value; abort takes it back, commit makes it last. Where it is kept between processes
 * is its owner's matter: in a store's changelog, or in the metadata of the committed offsets.
 */
export class Cell {
  value: number
  #committed: number

  constructor(initial: number) {
    this.value = initial
    this.#committed = initial
  }

  get isDirty(): boolean {
    return this.value !== this.#committed
  }

  commit(): void {
    this.#committed = this.value
  }

  rollback(): void {
    this.value = this.#committed
  }

  restore(value: number): void {
    this.value = value
    this.#committed = value
  }
}

/** Before any record: less than every timestamp. */
export const NO_TIME = -1

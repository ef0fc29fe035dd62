/** The buffers that one piece of work takes from a pool, to be given back together when nobody needs any of them. */
import type { BufferPool } from "./buffer-pool.ts"

export class BufferLoan {
  readonly #pool: BufferPool
  #taken: Buffer[] = []

  constructor(pool: BufferPool) {
    this.#pool = pool
  }

  take(bytes: number): Buffer {
    const buffer = this.#pool.take(bytes)
    this.#taken.push(buffer)
    return buffer
  }

  giveBack(): void {
    for (const buffer of this.#taken) this.#pool.giveBack(buffer)
    this.#taken = []
  }
}

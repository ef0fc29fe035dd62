/**
 * The memory that one piece of work takes from a pool, to be given back together when nobody needs any of it.
 *
 *   take(bytes) -> filled, as far as it goes -> keep(what is needed of it) -> ... -> giveBack()
 *
 * How much is needed is known late: a read asks for as much as an answer may have, and whole batches may be a small part of
 * that, or nothing. What is not kept goes back at once, and what fills less than half of its memory moves, the small ones together:
 * a loan holds at most twice the bytes that were kept, and a slab.
 */
import { type BufferPool, CLASS_BYTES_MIN } from "./buffer-pool.ts"

/** What small pieces share, each less than half of it. */
const SLAB_BYTES = CLASS_BYTES_MIN

export class BufferLoan {
  readonly #pool: BufferPool
  #kept: Buffer[] = []
  /** Taken since something was kept last. */
  #taken: Buffer[] = []
  #slab: Buffer | undefined
  #slabUsed = 0

  constructor(pool: BufferPool) {
    this.#pool = pool
  }

  /** The taker's until the next `keep`. */
  take(bytes: number): Buffer {
    const buffer = this.#pool.take(Math.max(bytes, SLAB_BYTES))
    this.#taken.push(buffer)
    return buffer.subarray(0, bytes)
  }

  /**
   * Answers these bytes, in memory that is the taker's until all is given back. They lie in something that was taken since the last
   * time, or outside of the loan; nobody may read them where they were, nor anything else that was taken.
   */
  keep(bytes: Uint8Array): Uint8Array {
    let kept = bytes
    for (const buffer of this.#taken) {
      const isItsOwn = bytes.length > 0 && bytes.buffer === buffer.buffer
      if (isItsOwn && bytes.length * 2 >= buffer.buffer.byteLength) this.#kept.push(buffer)
      else {
        if (isItsOwn) kept = this.#moved(bytes)
        this.#pool.giveBack(buffer)
      }
    }
    this.#taken = []
    return kept
  }

  giveBack(): void {
    for (const buffer of [...this.#taken, ...this.#kept]) this.#pool.giveBack(buffer)
    this.#taken = []
    this.#kept = []
    this.#slab = undefined
  }

  #moved(bytes: Uint8Array): Uint8Array {
    const room = bytes.length < SLAB_BYTES / 2 ? this.#cut(bytes.length) : this.#takeKept(bytes.length)
    room.set(bytes)
    return room
  }

  #cut(bytes: number): Buffer {
    if (this.#slab === undefined || this.#slabUsed + bytes > SLAB_BYTES) {
      this.#slab = this.#takeKept(SLAB_BYTES)
      this.#slabUsed = 0
    }
    const start = this.#slabUsed
    this.#slabUsed += bytes
    return this.#slab.subarray(start, this.#slabUsed)
  }

  #takeKept(bytes: number): Buffer {
    const buffer = this.#pool.take(bytes)
    this.#kept.push(buffer)
    return buffer
  }
}

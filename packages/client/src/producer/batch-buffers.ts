/**
 * Memory for batches: the buffers of those that were delivered serve the next ones, so that a producer under load
 * touches no new memory and leaves none to collect.
 *
 * Invariant: a buffer comes back only when the broker has answered for its batch. All of it has left by then; of a batch
 * that got no answer the connection may still hold it.
 */

/** What is kept for the next batches: as many as are on their way at a time. */
const KEPT_BYTES_MAX = 8 * 1024 * 1024
const BYTES_MIN = 1024

export class BatchBuffers {
  readonly #batchSize: number
  readonly #free: Uint8Array[] = []

  constructor(batchSize: number) {
    this.#batchSize = batchSize
  }

  /**
   * A buffer for a batch of about so many bytes, and `atLeast`: one that is likely to be filled has all the room that a
   * batch may take, others as much as they need. It still holds what was there before.
   */
  take(about: number, atLeast: number): Uint8Array {
    const size = this.#batchSize
    if (about > size / 2 && atLeast <= size) return this.#free.pop() ?? Buffer.allocUnsafeSlow(size)
    return Buffer.allocUnsafeSlow(Math.max(BYTES_MIN, atLeast, Math.ceil(about * 1.125)))
  }

  giveBack(buffer: Uint8Array): void {
    if (buffer.length === this.#batchSize && (this.#free.length + 1) * buffer.length <= KEPT_BYTES_MAX)
      this.#free.push(buffer)
  }
}

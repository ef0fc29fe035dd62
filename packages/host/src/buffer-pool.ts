/**
 * Memory that is used again: buffers for what lives a millisecond, such as requests that are gathered from a socket and
 * records that are read from a file for an answer.
 *
 *   take(bytes) -> the taker's alone -> giveBack(buffer) -> some other taker's
 *
 * V8 learns that a buffer is dead by marking its whole heap, and starts to do so after some megabytes of buffers, live or not. Those
 * that are used again cost it nothing.
 *
 * Ownership: a buffer belongs to who took it until it is given back, and may be given back only when nobody will read or
 * write it again, through any view of it; who gives it back must know of all views. Whoever cannot tell leaves it: a buffer
 * that is never given back is the garbage collector's, like any other. It is given back as the very object that `take` answered,
 * not as a view of it, and each `take` answers a new object: so to give one back twice does nothing, also when its memory has
 * another taker by then, and so does memory that is not of this pool.
 */

/** Buffers that nobody has at the moment, all sizes together. */
export const IDLE_BYTES_MAX = 16 * 1024 * 1024
/** Memory is kept in sizes of powers of two; what is larger than the largest is not kept. */
const CLASS_BYTES_MIN = 16 * 1024
const CLASS_BYTES_MAX = 4 * 1024 * 1024

export interface BufferPoolOptions {
  readonly idleBytesMax?: number
  /** What memory is filled with as it comes back, so that tests see who still reads it. */
  readonly poison?: number
}

export class BufferPool {
  readonly #idleBytesMax: number
  readonly #poison: number | undefined
  readonly #idle = new Map<number, ArrayBuffer[]>()
  #idleBytes = 0
  readonly #taken = new WeakMap<Uint8Array, ArrayBuffer>()

  constructor({ idleBytesMax = IDLE_BYTES_MAX, poison }: BufferPoolOptions = {}) {
    this.#idleBytesMax = idleBytesMax
    this.#poison = poison
  }

  /** Bytes of memory that waits for a taker. */
  get idleBytes(): number {
    return this.#idleBytes
  }

  /** A buffer of just so many bytes, with anything in it. */
  take(bytes: number): Buffer {
    if (bytes > CLASS_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes)
    const size = classOf(bytes)
    let memory = this.#idle.get(size)?.pop()
    if (memory === undefined) memory = Buffer.allocUnsafeSlow(size).buffer
    else this.#idleBytes -= size
    const buffer = Buffer.from(memory, 0, bytes)
    this.#taken.set(buffer, memory)
    return buffer
  }

  giveBack(buffer: Uint8Array): void {
    const memory = this.#taken.get(buffer)
    if (memory === undefined) return
    this.#taken.delete(buffer)
    if (this.#poison !== undefined) new Uint8Array(memory).fill(this.#poison)
    const size = memory.byteLength
    if (this.#idleBytes + size > this.#idleBytesMax) return
    const idle = this.#idle.get(size)
    if (idle === undefined) this.#idle.set(size, [memory])
    else idle.push(memory)
    this.#idleBytes += size
  }
}

function classOf(bytes: number): number {
  let size = CLASS_BYTES_MIN
  while (size < bytes) size *= 2
  return size
}

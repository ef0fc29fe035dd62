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
 *
 * Limits: a taker never holds more than twice the bytes that it asked for, so that limits of what is taken are limits of memory
 * too. What is idle is bounded for all sizes together; where there is no room, memory of the size that was asked for least lately
 * goes.
 */

/** Buffers that nobody has at the moment, all sizes together. */
export const IDLE_BYTES_MAX = 16 * 1024 * 1024
/** Memory is kept in sizes of powers of two, for what fills at least half of it. What is larger than the largest is not kept. */
export const CLASS_BYTES_MIN = 16 * 1024
const CLASS_BYTES_MAX = 4 * 1024 * 1024

export const POISON = 0xdb

export interface BufferPoolOptions {
  readonly idleBytesMax?: number
  /** Memory is filled with `POISON` as it comes back, so that tests see who still reads it. */
  readonly poisons?: boolean
}

export class BufferPool {
  readonly #idleBytesMax: number
  readonly #poisons: boolean
  /** By size, that which was asked for least lately first. */
  readonly #idle = new Map<number, ArrayBuffer[]>()
  #idleBytes = 0
  readonly #taken = new WeakMap<Uint8Array, ArrayBuffer>()

  constructor({ idleBytesMax = IDLE_BYTES_MAX, poisons = false }: BufferPoolOptions = {}) {
    this.#idleBytesMax = idleBytesMax
    this.#poisons = poisons
  }

  /** Bytes of memory that waits for a taker. */
  get idleBytes(): number {
    return this.#idleBytes
  }

  /** A buffer of just so many bytes, with anything in it. */
  take(bytes: number): Buffer {
    if (bytes < CLASS_BYTES_MIN / 2 || bytes > CLASS_BYTES_MAX) return this.#takeUnkept(bytes)
    const size = classOf(bytes)
    let memory = this.#usedNow(size).pop()
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
    if (this.#poisons) new Uint8Array(memory).fill(POISON)
    const size = memory.byteLength
    if (size < CLASS_BYTES_MIN || size > CLASS_BYTES_MAX || !this.#makeRoom(size)) return
    this.#idle.get(size)!.push(memory)
    this.#idleBytes += size
  }

  /** Known only where it is to be poisoned: it is new each time. */
  #takeUnkept(bytes: number): Buffer {
    const buffer = Buffer.allocUnsafeSlow(bytes)
    if (this.#poisons) this.#taken.set(buffer, buffer.buffer)
    return buffer
  }

  #usedNow(size: number): ArrayBuffer[] {
    const idle = this.#idle.get(size) ?? []
    this.#idle.delete(size)
    this.#idle.set(size, idle)
    return idle
  }

  /** Lets go of memory of sizes that were asked for less lately than this one. */
  #makeRoom(size: number): boolean {
    if (size > this.#idleBytesMax) return false
    for (const [other, idle] of this.#idle) {
      if (other === size) break
      while (this.#idleBytes + size > this.#idleBytesMax && idle.pop() !== undefined) this.#idleBytes -= other
    }
    return this.#idleBytes + size <= this.#idleBytesMax
  }
}

function classOf(bytes: number): number {
  let size = CLASS_BYTES_MIN
  while (size < bytes) size *= 2
  return size
}

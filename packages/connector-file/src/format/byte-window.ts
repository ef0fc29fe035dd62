/**
 * The bytes of a file that were read but not yet handed out as records.
 *
 *        base                base + start                     base + start + length
 *   file ──┬──── consumed ────────┬──── the record in progress … ─────┬── not read yet
 *
 * Scanners address bytes relative to `start`, the first byte of the record in progress, so that taking in a chunk, which
 * moves the bytes, changes none of their indices.
 */
export class ByteWindow {
  #bytes: Uint8Array = new Uint8Array(0)
  #base: number
  #start = 0
  constructor(position: number) {
    this.#base = position
  }
  /** Position in the file of the record in progress. */
  get position(): number {
    return this.#base + this.#start
  }
  get length(): number {
    return this.#bytes.length - this.#start
  }
  at(index: number): number {
    return this.#bytes[this.#start + index]!
  }
  text(from: number, to: number): string {
    const { buffer, byteOffset } = this.#bytes
    return Buffer.from(buffer, byteOffset + this.#start + from, to - from).toString("utf8")
  }
  indexOf(byte: number, from: number): number {
    const found = this.#bytes.indexOf(byte, this.#start + from)
    return found < 0 ? -1 : found - this.#start
  }
  /** Takes a chunk over; the caller does not touch it again. */
  push(chunk: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#start)
    this.#base += this.#start
    this.#start = 0
    if (rest.length === 0) this.#bytes = chunk
    else {
      this.#bytes = new Uint8Array(rest.length + chunk.length)
      this.#bytes.set(rest)
      this.#bytes.set(chunk, rest.length)
    }
  }
  /** The next record starts `count` bytes further on. */
  consume(count: number): void {
    this.#start += count
  }
}

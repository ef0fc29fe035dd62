/**
 * Cuts a byte stream into frames: `length:4 | payload`. Sans-IO: chunks of any size go in, whole payloads come out.
 *
 * A payload that arrives within one chunk is a view of that chunk, so a chunk must not be reused after `push`. One that
 * arrives in pieces is gathered into a buffer of its own, which grows with what has arrived, not with what its length
 * announces: a peer cannot make us reserve memory by announcing a large frame.
 */
export const FRAME_LENGTH_BYTES = 4
const GATHER_START_BYTES = 64 * 1024
/** What was gathered is copied, and new pages are touched, each time it grows: seldom, for answers of some megabytes. */
const GATHER_GROWTH = 4

/** The stream is not made of frames we accept; the connection is of no further use. */
export class FrameError extends Error {
  override readonly name = "FrameError"
}

export class FrameSplitter {
  private readonly maxFrameBytes: number
  private readonly prefix = new Uint8Array(FRAME_LENGTH_BYTES)
  private prefixFilled = 0
  /** Payload size of the frame being gathered; -1 while its length is not complete. */
  private size = -1
  private gathered: Uint8Array | undefined
  private filled = 0

  /** `maxFrameBytes` is Kafka's `socket.request.max.bytes`: the largest payload accepted. */
  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  /** Bytes held back of a frame that is not complete. */
  get bufferedBytes(): number {
    return this.prefixFilled + this.filled
  }

  /** Payloads that this chunk completes, in order. Throws `FrameError` at a negative or too large length. */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = []
    let at = 0
    while (at < chunk.length || this.size === 0) {
      if (this.size < 0) at = this.readPrefix(chunk, at)
      else if (this.filled === 0 && chunk.length - at >= this.size) {
        frames.push(chunk.subarray(at, at + this.size))
        at += this.size
        this.reset()
      } else {
        at = this.gather(chunk, at)
        if (this.filled === this.size) {
          frames.push(this.gathered!.subarray(0, this.size))
          this.reset()
        }
      }
    }
    return frames
  }

  private readPrefix(chunk: Uint8Array, at: number): number {
    let next = at
    while (this.prefixFilled < FRAME_LENGTH_BYTES && next < chunk.length) {
      this.prefix[this.prefixFilled++] = chunk[next++]!
    }
    if (this.prefixFilled === FRAME_LENGTH_BYTES) {
      const [a, b, c, d] = this.prefix as unknown as [number, number, number, number]
      const size = (a << 24) | (b << 16) | (c << 8) | d
      if (size < 0 || size > this.maxFrameBytes) throw this.refusal(size)
      this.size = size
    }
    return next
  }

  private gather(chunk: Uint8Array, at: number): number {
    const take = Math.min(this.size - this.filled, chunk.length - at)
    const needed = this.filled + take
    if (this.gathered === undefined || this.gathered.length < needed) {
      const room = Math.min(this.size, Math.max(needed, this.filled * GATHER_GROWTH, GATHER_START_BYTES))
      const grown = Buffer.allocUnsafeSlow(room)
      if (this.gathered !== undefined) grown.set(this.gathered.subarray(0, this.filled))
      this.gathered = grown
    }
    this.gathered.set(chunk.subarray(at, at + take), this.filled)
    this.filled = needed
    return at + take
  }

  private reset(): void {
    this.prefixFilled = 0
    this.size = -1
    this.gathered = undefined
    this.filled = 0
  }

  private refusal(size: number): FrameError {
    const start = Buffer.from(this.prefix)
    const text = start.toString("latin1")
    if (/^(GET|POST|PUT|HEAD|OPTI|DELE)/.test(text)) {
      return new FrameError("received an HTTP request where a Kafka frame was expected: this is not an HTTP port")
    }
    if (start[0] === 0x16 && start[1] === 0x03) {
      return new FrameError("received a TLS handshake where a plain Kafka frame was expected: check security.protocol")
    }
    return new FrameError(`a frame of ${size} bytes, allowed are 0 to ${this.maxFrameBytes}`)
  }
}

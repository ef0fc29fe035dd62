/**
 * Cuts a byte stream into frames: `length:4 | payload`. Sans-IO, in either of two ways, or both in turn:
 *
 *   push(chunk)                  chunks of any size go in, whole payloads come out
 *   room(), then filled(bytes)   the stream is read straight into where payloads are gathered: a large one is not copied
 *
 * Payloads belong to the caller for good. One that arrives within a chunk that was pushed is a view of that chunk, so a
 * chunk must not be reused after `push`; any other has a buffer of its own, and `room` never answers memory of a payload
 * that was handed out. That buffer grows with what has arrived, not with what its length announces: beyond
 * `reserveBytes` a peer cannot make us reserve memory by announcing a large frame.
 *
 * Where payloads are gathered comes from `buffers`. One that was outgrown goes back there; a payload is the very buffer that
 * was taken for it, so that the caller may give it back too.
 */
export const FRAME_LENGTH_BYTES = 4
const RESERVE_BYTES = 64 * 1024
/** What was gathered is copied, and new pages are touched, each time it grows: seldom, for answers of some megabytes. */
const GATHER_GROWTH = 4
/** What is read at once while no payload has begun. */
const SCRATCH_BYTES = 64 * 1024

/** Memory for payloads: a pool, such as the host's `BufferPool`. */
export interface FrameBuffers {
  take(bytes: number): Buffer
  giveBack(buffer: Buffer): void
}

const FRESH: FrameBuffers = { take: (bytes) => Buffer.allocUnsafeSlow(bytes), giveBack: () => {} }

/** The stream is not made of frames we accept; the connection is of no further use. */
export class FrameError extends Error {
  override readonly name = "FrameError"
}

export class FrameSplitter {
  private readonly maxFrameBytes: number
  private readonly reserveBytes: number
  private readonly buffers: FrameBuffers
  private readonly prefix = new Uint8Array(FRAME_LENGTH_BYTES)
  private prefixFilled = 0
  /** Payload size of the frame being gathered; -1 while its length is not complete. */
  private size = -1
  private gathered: Buffer | undefined
  private gatheredBytes = 0
  /** Where lengths and small payloads are read to. */
  private scratch: Buffer | undefined

  /**
   * `maxFrameBytes` is Kafka's `socket.request.max.bytes`: the largest payload accepted. `reserveBytes`: what a payload
   * may take before it has arrived.
   */
  constructor(maxFrameBytes: number, reserveBytes: number = RESERVE_BYTES, buffers: FrameBuffers = FRESH) {
    this.maxFrameBytes = maxFrameBytes
    this.reserveBytes = reserveBytes
    this.buffers = buffers
  }

  /** Bytes held back of a frame that is not complete. */
  get bufferedBytes(): number {
    return this.prefixFilled + this.gatheredBytes
  }

  /** Payloads that this chunk completes, in order. Throws `FrameError` at a negative or too large length. */
  push(chunk: Uint8Array): Uint8Array[] {
    return this.split(chunk, (from, to) => chunk.subarray(from, to))
  }

  /** Where the next bytes of the stream may be read to; never empty. What it answered before is void then. */
  room(): Uint8Array {
    if (this.gathered !== undefined) return this.gathered.subarray(this.gatheredBytes)
    return (this.scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES))
  }

  /** The same as `push` for so many bytes that were read to the start of `room()`. */
  filled(bytes: number): Uint8Array[] {
    if (this.gathered === undefined) {
      const scratch = this.scratch!
      return this.split(scratch.subarray(0, bytes), (from, to) => copyOf(scratch, from, to))
    }
    this.gatheredBytes += bytes
    if (this.gatheredBytes === this.size) return [this.takeGathered()]
    if (this.gatheredBytes === this.gathered.length) this.reserve(this.gatheredBytes + 1)
    return []
  }

  private split(chunk: Uint8Array, payload: (from: number, to: number) => Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = []
    let at = 0
    while (at < chunk.length || this.size === 0) {
      if (this.size < 0) at = this.readPrefix(chunk, at)
      else if (this.gatheredBytes === 0 && chunk.length - at >= this.size) {
        frames.push(payload(at, at + this.size))
        at += this.size
        this.reset()
      } else {
        at = this.gather(chunk, at)
        if (this.gatheredBytes === this.size) frames.push(this.takeGathered())
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
    const take = Math.min(this.size - this.gatheredBytes, chunk.length - at)
    const needed = this.gatheredBytes + take
    // With room for more, if more is to come.
    this.reserve(Math.min(this.size, needed + 1))
    this.gathered!.set(chunk.subarray(at, at + take), this.gatheredBytes)
    this.gatheredBytes = needed
    return at + take
  }

  private reserve(needed: number): void {
    if (this.gathered !== undefined && this.gathered.length >= needed) return
    const room = Math.min(this.size, Math.max(needed, this.gatheredBytes * GATHER_GROWTH, this.reserveBytes))
    const grown = this.buffers.take(room)
    if (this.gathered !== undefined) {
      this.gathered.copy(grown, 0, 0, this.gatheredBytes)
      this.buffers.giveBack(this.gathered)
    }
    this.gathered = grown
  }

  private takeGathered(): Uint8Array {
    // It never has more room than the whole payload needs, so now it has just that.
    const payload = this.gathered!
    this.reset()
    return payload
  }

  private reset(): void {
    this.prefixFilled = 0
    this.size = -1
    this.gathered = undefined
    this.gatheredBytes = 0
  }

  private refusal(size: number): FrameError {
    const start = Buffer.from(this.prefix)
    const text = start.toString("latin1")
    if (/^(GET|POST|PUT|HEAD|OPTI|DELE)/.test(text)) {
      return new FrameError("received an HTTP request where a Kafka frame was expected: this is not an HTTP port")
    }
    if (text === "HTTP") {
      return new FrameError("the other side answers in HTTP: this is no Kafka port")
    }
    if (start[0] === 0x16 && start[1] === 0x03) {
      return new FrameError("received a TLS handshake where a plain Kafka frame was expected: check security.protocol")
    }
    return new FrameError(`a frame of ${size} bytes, allowed are 0 to ${this.maxFrameBytes}`)
  }
}

function copyOf(bytes: Buffer, from: number, to: number): Uint8Array {
  const copy = Buffer.allocUnsafe(to - from)
  bytes.copy(copy, 0, from, to)
  return copy
}

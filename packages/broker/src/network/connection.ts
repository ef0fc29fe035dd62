/**
 * One client connection without its socket: bytes in, requests out; answers in, bytes out.
 *
 *   receive(chunk) -> frames -> [ backlog ] -> request(frame, slot) -> handler -> answer(slot, chunks)
 *                                                                                      |
 *                     send(chunks) <- head of [ slots in request order ] <-------------+
 *
 * Invariants: answers leave in the order of their requests (a long-polling fetch delays only its own connection);
 * unanswered requests and answers not yet taken by the client are bounded in number and bytes, by not reading; after
 * `close` nothing is dispatched or sent.
 *
 * Buffers: a frame belongs to its request, which may give it back to the pool it was gathered in. Chunks given to `answer`
 * belong to the network until it has taken them: their owner is told so, once, and never when they are not sent.
 */
import type { BufferPool } from "@millrace/host"
import { FrameSplitter } from "@millrace/protocol"

export interface ConnectionLimits {
  /** socket.request.max.bytes */
  readonly requestBytesMax: number
  /** queued.max.requests */
  readonly queuedRequestsMax: number
  /** queued.max.request.bytes */
  readonly queuedRequestBytesMax: number
  /** queued.max.response.bytes */
  readonly queuedResponseBytesMax: number
}

/** What the core wants done. Called synchronously from its methods. */
export interface ConnectionEffects {
  request(frame: Uint8Array, slot: Slot): void
  /** Writes and returns the bytes the network has not taken yet. `taken`: nobody reads the chunks any more. */
  send(chunks: readonly Uint8Array[], taken: (() => void) | undefined): number
  pause(): void
  resume(): void
  /** `reason` goes to the log; an orderly end has none. */
  close(reason?: string): void
}

/** The place of one request in the order of answers. */
export interface Slot {
  readonly requestBytes: number
  /** Undefined while the handler works; null when the request gets no answer (produce with acks=0). */
  answer: readonly Uint8Array[] | null | undefined
  /** Called when the network has taken the answer. */
  taken: (() => void) | undefined
}

export class ConnectionCore {
  readonly #limits: ConnectionLimits
  readonly #effects: ConnectionEffects
  readonly #splitter: FrameSplitter
  /** Frames read and not dispatched yet. */
  #backlog: Uint8Array[] = []
  #slots: Slot[] = []
  #unansweredBytes = 0
  #unsentBytes = 0
  #paused = false
  #muted = false
  #draining = false
  #closed = false
  /** Inside `receive`: answers are collected and sent as one write at its end. */
  #receiving = false

  constructor(limits: ConnectionLimits, buffers: BufferPool, effects: ConnectionEffects) {
    this.#limits = limits
    this.#effects = effects
    this.#splitter = new FrameSplitter(limits.requestBytesMax, undefined, buffers)
  }

  get unanswered(): number {
    return this.#slots.length + this.#backlog.length
  }

  receive(chunk: Uint8Array): void {
    if (this.#closed || this.#draining) return
    try {
      const frames = this.#splitter.push(chunk)
      for (const frame of frames) this.#backlog.push(frame)
    } catch (cause) {
      // A length above the limit, or below zero: there is no way to find the next frame.
      this.#close(cause instanceof Error ? cause.message : String(cause))
      return
    }
    this.#dispatch()
  }

  /** Null: the request gets no answer. */
  answer(slot: Slot, chunks: readonly Uint8Array[] | null, taken?: () => void): void {
    if (this.#closed) return
    slot.answer = chunks
    slot.taken = taken
    if (this.#receiving || this.#slots[0] !== slot) return
    this.#flush()
    this.#dispatch()
  }

  /** The network took what was queued, down to `pendingBytes`. */
  drained(pendingBytes: number): void {
    this.#unsentBytes = pendingBytes
    this.#dispatch()
  }

  /** Throttled (KIP-219): the answer has left, and nothing more is taken until `unmute`. */
  mute(): void {
    this.#muted = true
    this.#updateReading()
  }

  unmute(): void {
    this.#muted = false
    this.#dispatch()
  }

  /** Takes no further request; closes once all dispatched ones are answered. */
  drain(): void {
    if (this.#closed || this.#draining) return
    this.#draining = true
    this.#backlog = []
    this.#effects.pause()
    this.#paused = true
    if (this.#slots.length === 0) this.#close()
  }

  /** The connection is gone: late answers are dropped. */
  closed(): void {
    this.#closed = true
    this.#slots = []
    this.#backlog = []
  }

  #dispatch(): void {
    if (this.#receiving || this.#closed) return
    do {
      this.#receiving = true
      let next = 0
      while (next < this.#backlog.length && !this.#isFull()) {
        const frame = this.#backlog[next++]!
        const slot: Slot = { requestBytes: frame.length, answer: undefined, taken: undefined }
        this.#slots.push(slot)
        this.#unansweredBytes += frame.length
        this.#effects.request(frame, slot)
        if (this.#closed) return
      }
      if (next > 0) this.#backlog = this.#backlog.slice(next)
      this.#receiving = false
      this.#flush()
      // Sending the answers may have made room for what is left.
    } while (this.#backlog.length > 0 && !this.#isFull() && !this.#closed)
    this.#updateReading()
  }

  #isFull(): boolean {
    return (
      this.#muted ||
      this.#slots.length >= this.#limits.queuedRequestsMax ||
      this.#unansweredBytes >= this.#limits.queuedRequestBytesMax ||
      this.#unsentBytes >= this.#limits.queuedResponseBytesMax
    )
  }

  #flush(): void {
    let ready = 0
    const chunks: Uint8Array[] = []
    const owners: (() => void)[] = []
    while (ready < this.#slots.length) {
      const slot = this.#slots[ready]!
      if (slot.answer === undefined) break
      if (slot.answer !== null) for (const chunk of slot.answer) chunks.push(chunk)
      if (slot.taken !== undefined) owners.push(slot.taken)
      this.#unansweredBytes -= slot.requestBytes
      ready++
    }
    if (ready > 0) this.#slots = ready === this.#slots.length ? [] : this.#slots.slice(ready)
    const taken = owners.length === 0 ? undefined : () => owners.forEach((tell) => tell())
    if (chunks.length > 0) this.#unsentBytes = this.#effects.send(chunks, taken)
    if (this.#draining && this.#slots.length === 0) this.#close()
  }

  #updateReading(): void {
    if (this.#closed || this.#draining) return
    const pause = this.#isFull() || this.#backlog.length > 0
    if (pause === this.#paused) return
    this.#paused = pause
    if (pause) this.#effects.pause()
    else this.#effects.resume()
  }

  #close(reason?: string): void {
    if (this.#closed) return
    this.closed()
    this.#effects.close(reason)
  }
}

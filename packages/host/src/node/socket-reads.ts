/**
 * Reads a socket straight into its reader's memory: the `onread` option of node:net and node:tls.
 *
 * Node wants a place for the first bytes before it connects, and the next one right after each read. So what comes first
 * goes to a buffer of our own, and from there to `data` as a chunk; so does everything for readers without a target.
 */
import type { OnReadOpts } from "node:net"
import type { ConnectionHandlers } from "../net.ts"

const CHUNK_BYTES = 64 * 1024

export class SocketReads {
  #handlers: ConnectionHandlers | undefined
  /** What Node reads into now, unless that is the reader's. */
  #chunk: Buffer | undefined
  /** Chunks from before there was a reader. */
  #early: Uint8Array[] = []

  /** For the socket's options. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#room(),
    callback: (bytes) => {
      this.#filled(bytes)
      return true
    },
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    const early = this.#early.splice(0)
    if (early.length > 0) queueMicrotask(() => early.forEach((chunk) => handlers.data(chunk)))
  }

  #room(): Uint8Array {
    const target = this.#handlers?.target
    this.#chunk = target === undefined ? Buffer.allocUnsafeSlow(CHUNK_BYTES) : undefined
    return this.#chunk ?? target!.room()
  }

  #filled(bytes: number): void {
    if (this.#chunk === undefined) return this.#handlers!.target!.filled(bytes)
    const chunk = this.#chunk.subarray(0, bytes)
    if (this.#handlers === undefined) this.#early.push(chunk)
    else this.#handlers.data(chunk)
  }
}

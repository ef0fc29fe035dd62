/**
 * A connection of the network port over one of Node's sockets, with TLS or without.
 */
import type { Socket } from "node:net"
import { type Address, type Connection, type ConnectionHandlers, formatAddress, NetError } from "../net.ts"
import type { SocketReads } from "./socket-reads.ts"

export interface NodeConnectionOptions {
  /** Of the client's certificate. */
  readonly subject?: string | undefined
  /** What the socket was made with, if it can read into its reader's memory. Sockets that were accepted cannot. */
  readonly reads?: SocketReads
}

export class NodeConnection implements Connection {
  readonly remote: Address
  readonly local: Address
  readonly subject: string | undefined
  readonly #socket: Socket
  readonly #reads: SocketReads | undefined
  constructor(socket: Socket, { subject, reads }: NodeConnectionOptions = {}) {
    this.#socket = socket
    this.#reads = reads
    this.subject = subject
    this.remote = { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 }
    this.local = { host: socket.localAddress ?? "", port: socket.localPort ?? 0 }
    socket.setNoDelay(true)
  }
  attach(handlers: ConnectionHandlers): void {
    const socket = this.#socket
    let failure: NetError | undefined
    if (this.#reads) this.#reads.attach(handlers)
    else socket.on("data", (chunk: Buffer) => handlers.data(chunk))
    socket.on("drain", () => handlers.drain?.())
    socket.on("error", (cause: NodeJS.ErrnoException) => {
      failure = new NetError(
        cause.code ?? "OTHER",
        this.remote,
        `connection to ${formatAddress(this.remote)} failed: ${cause.message}`,
        cause,
      )
    })
    socket.on("close", () => handlers.close(failure))
  }
  write(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return false
    if (chunks.length === 1) return socket.write(chunks[0]!)
    socket.cork()
    let more = true
    for (const chunk of chunks) more = socket.write(chunk)
    socket.uncork()
    return more
  }
  get pendingBytes(): number {
    return this.#socket.writableLength
  }
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }
  end(): void {
    this.#socket.end()
  }
  destroy(): void {
    this.#socket.destroy()
  }
}

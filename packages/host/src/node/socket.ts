/**
 * A connection of the network port over one of Node's sockets, with TLS or without.
 */
import type { Socket } from "node:net"
import { type Address, type Connection, type ConnectionHandlers, formatAddress, NetError, plainHost } from "../net.ts"
import type { SocketReads } from "./socket-reads.ts"

export interface NodeConnectionOptions {
  /** Of the client's certificate. */
  readonly subject?: string | undefined
  /** What the socket was made with, if it can read into its reader's memory. Sockets that were accepted cannot. */
  readonly reads?: SocketReads
}

/** Who is at the other end, while the socket is open. */
export const remoteOf = (socket: Socket): Address => ({
  host: plainHost(socket.remoteAddress ?? ""),
  port: socket.remotePort ?? 0,
})

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
    this.remote = remoteOf(socket)
    this.local = { host: plainHost(socket.localAddress ?? ""), port: socket.localPort ?? 0 }
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
  write(chunks: readonly Uint8Array[], taken?: () => void): boolean {
    const socket = this.#socket
    if (socket.destroyed || socket.writableEnded) return false
    // Chunks are taken in order. After an error nobody can tell what the system still reads.
    const written = taken && ((cause?: Error | null) => !cause && taken())
    const last = chunks.length - 1
    if (last === 0) return socket.write(chunks[0]!, written)
    socket.cork()
    let more = true
    for (const [index, chunk] of chunks.entries()) more = socket.write(chunk, index === last ? written : undefined)
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

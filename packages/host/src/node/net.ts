/**
 * The network port over node:net.
 */
import * as net from "node:net"
import { type Address, type Connection, type ConnectionHandlers, formatAddress, type Net, NetError } from "../net.ts"

const CONNECT_TIMEOUT_MS = 10_000

class NodeConnection implements Connection {
  readonly remote: Address
  readonly local: Address
  readonly #socket: net.Socket
  constructor(socket: net.Socket) {
    this.#socket = socket
    this.remote = { host: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 }
    this.local = { host: socket.localAddress ?? "", port: socket.localPort ?? 0 }
    socket.setNoDelay(true)
  }
  attach(handlers: ConnectionHandlers): void {
    const socket = this.#socket
    let failure: NetError | undefined
    socket.on("data", (chunk: Buffer) => handlers.data(chunk))
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

export const nodeNet: Net = {
  listen(address, accept) {
    return new Promise((resolve, reject) => {
      const server = net.createServer((socket) => accept(new NodeConnection(socket)))
      // Errors after the bind, such as no descriptor left to accept with, end no listener: the next accept may succeed.
      server.on("error", (cause: NodeJS.ErrnoException) => {
        const reason = cause.code === "EADDRINUSE" ? "the port is in use" : cause.message
        reject(
          new NetError(cause.code ?? "OTHER", address, `cannot listen on ${formatAddress(address)}: ${reason}`, cause),
        )
      })
      server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
        const bound = server.address() as net.AddressInfo
        resolve({
          address: { host: address.host, port: bound.port },
          close: () => new Promise<void>((done) => server.close(() => done())),
        })
      })
    })
  },
  connect(address, options) {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: address.host, port: address.port })
      const timeoutMs = options?.timeoutMs ?? CONNECT_TIMEOUT_MS
      const fail = (code: string, reason: string, cause?: unknown) => {
        clearTimeout(timer)
        socket.destroy()
        reject(new NetError(code, address, `cannot connect to ${formatAddress(address)}: ${reason}`, cause))
      }
      const timer = setTimeout(() => fail("ETIMEDOUT", `no answer within ${timeoutMs} ms`), timeoutMs)
      const onError = (cause: NodeJS.ErrnoException) => fail(cause.code ?? "OTHER", cause.message, cause)
      socket.once("error", onError)
      socket.once("connect", () => {
        clearTimeout(timer)
        socket.removeListener("error", onError)
        resolve(new NodeConnection(socket))
      })
    })
  },
}

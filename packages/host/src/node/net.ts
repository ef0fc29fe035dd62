/**
 * The network port over node:net, with TLS (node:tls) where it is asked for.
 */
import * as net from "node:net"
import type * as tls from "node:tls"
import { type Address, formatAddress, type Net, NetError } from "../net.ts"
import { NodeConnection } from "./socket.ts"
import { SocketReads } from "./socket-reads.ts"

const CONNECT_TIMEOUT_MS = 10_000

export const nodeNet: Net = {
  async listen(address, accept, options = {}) {
    // TLS is loaded with the first listener that asks for it: most processes never do.
    const secure = options.tls && (await import("./tls.ts"))
    const server = secure
      ? secure.tlsServer(address, options.tls!, accept, options.onRefused)
      : net.createServer((socket) => accept(new NodeConnection(socket)))
    const bound = await listening(server, address)
    return {
      address: { host: address.host, port: bound.port },
      ...(secure && {
        useTls: (next) => (server as tls.Server).setSecureContext(secure.serverContext(next, address)),
      }),
      close: () => new Promise<void>((done) => server.close(() => done())),
    }
  },
  async connect(address, options = {}) {
    const secure = options.tls && (await import("./tls.ts"))
    return new Promise((resolve, reject) => {
      const reads = new SocketReads()
      const { onread } = reads
      const socket = secure
        ? secure.tlsSocket(address, options.tls!, onread)
        : net.connect({ host: address.host, port: address.port, onread })
      const timeoutMs = options.timeoutMs ?? CONNECT_TIMEOUT_MS
      const fail = (code: string, reason: string, cause?: unknown) => {
        clearTimeout(timer)
        socket.destroy()
        reject(new NetError(code, address, `cannot connect to ${formatAddress(address)}: ${reason}`, cause))
      }
      const timer = setTimeout(() => fail("ETIMEDOUT", `no answer within ${timeoutMs} ms`), timeoutMs)
      const onError = (cause: NodeJS.ErrnoException) =>
        fail(cause.code ?? "OTHER", secure?.explained(cause) ?? cause.message, cause)
      socket.once("error", onError)
      socket.once(secure ? "secureConnect" : "connect", () => {
        clearTimeout(timer)
        socket.removeListener("error", onError)
        resolve(new NodeConnection(socket, { reads }))
      })
    })
  },
}

function listening(server: net.Server, address: Address): Promise<net.AddressInfo> {
  return new Promise((resolve, reject) => {
    // Errors after the bind, such as no descriptor left to accept with, end no listener: the next accept may succeed.
    server.on("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "EADDRINUSE" ? "the port is in use" : cause.message
      reject(
        new NetError(cause.code ?? "OTHER", address, `cannot listen on ${formatAddress(address)}: ${reason}`, cause),
      )
    })
    server.listen({ host: address.host, port: address.port, backlog: 1024 }, () =>
      resolve(server.address() as net.AddressInfo),
    )
  })
}

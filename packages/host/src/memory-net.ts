/**
 * The network port inside one process: the same frames, no sockets.
 *
 * Ordered and reliable like the real one, with the same backpressure: `write` answers false above a high-water mark,
 * `pause` keeps chunks at the sender. Every write is copied once, as a kernel would do, so that neither side can see
 * the other change a buffer. Delivery never happens inside `write`; `defer` decides when it does. The default, a
 * microtask, is right for simulations; a process that also serves timers and sockets passes setImmediate, since two
 * busy peers that only wait for microtasks would starve them.
 *
 *   connect() -> [ client end ] === chunks === [ server end ] -> accept()
 */
import { invariant } from "./invariant.ts"
import {
  type Address,
  type Connection,
  type ConnectionHandlers,
  formatAddress,
  type Listener,
  type Net,
  NetError,
} from "./net.ts"

/** Unread bytes above which a writer is asked to wait. */
const PENDING_BYTES_HIGH = 1024 * 1024
const EPHEMERAL_PORT_FIRST = 49_152

export interface MemoryNetOptions {
  readonly defer?: (deliver: () => void) => void
}

export function memoryNet(options: MemoryNetOptions = {}): Net {
  const defer = options.defer ?? queueMicrotask
  const listeners = new Map<string, (connection: Connection) => void>()
  let nextPort = EPHEMERAL_PORT_FIRST
  const freePort = (host: string) => {
    while (listeners.has(formatAddress({ host, port: nextPort }))) nextPort++
    return nextPort++
  }
  return {
    isPrivate: true,
    async listen(address, accept): Promise<Listener> {
      const bound = address.port === 0 ? { host: address.host, port: freePort(address.host) } : address
      const name = formatAddress(bound)
      if (listeners.has(name)) {
        throw new NetError("EADDRINUSE", bound, `cannot listen on ${name}: the port is in use`)
      }
      listeners.set(name, accept)
      return {
        address: bound,
        close: async () => void (listeners.get(name) === accept && listeners.delete(name)),
      }
    },
    async connect(address): Promise<Connection> {
      const accept = listeners.get(formatAddress(address))
      if (!accept) {
        const where = formatAddress(address)
        throw new NetError("ECONNREFUSED", address, `cannot connect to ${where}: nothing listens there`)
      }
      const local = { host: "memory", port: nextPort++ }
      const client = new MemoryConnection(local, address, defer)
      const server = new MemoryConnection(address, local, defer)
      client.peer = server
      server.peer = client
      accept(server)
      return client
    },
  }
}

class MemoryConnection implements Connection {
  readonly local: Address
  readonly remote: Address
  peer: MemoryConnection | undefined
  readonly #defer: (deliver: () => void) => void
  #handlers: ConnectionHandlers | undefined
  /** Bytes written by the peer and not yet delivered here. */
  #inbox: Uint8Array[] = []
  #inboxBytes = 0
  #paused = false
  #scheduled = false
  /** The peer sent its last chunk. */
  #ended = false
  #endRequested = false
  #closed = false
  #peerWaits = false

  constructor(local: Address, remote: Address, defer: (deliver: () => void) => void) {
    this.local = local
    this.remote = remote
    this.#defer = defer
  }

  attach(handlers: ConnectionHandlers): void {
    invariant(this.#handlers === undefined, "a connection is attached once")
    this.#handlers = handlers
    this.#schedule()
  }

  write(chunks: readonly Uint8Array[], taken?: () => void): boolean {
    const peer = this.peer!
    if (this.#closed || this.#endRequested || peer.#closed) return false
    const copy = Buffer.concat(chunks)
    taken?.()
    peer.#inbox.push(copy)
    peer.#inboxBytes += copy.length
    peer.#schedule()
    const more = peer.#inboxBytes < PENDING_BYTES_HIGH
    if (!more) peer.#peerWaits = true
    return more
  }

  get pendingBytes(): number {
    return this.peer!.#inboxBytes
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  end(): void {
    if (this.#endRequested || this.#closed) return
    this.#endRequested = true
    this.peer!.#ended = true
    this.peer!.#schedule()
  }

  destroy(): void {
    if (this.#closed) return
    this.#inbox = []
    this.#inboxBytes = 0
    this.peer!.#inbox = []
    this.peer!.#inboxBytes = 0
    this.#ended = true
    this.peer!.#ended = true
    this.#schedule()
    this.peer!.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    this.#defer(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const handlers = this.#handlers
    if (!handlers || this.#closed) return
    while (!this.#paused && this.#inbox.length > 0) {
      const chunk = this.#inbox.shift()!
      this.#inboxBytes -= chunk.length
      handlers.data(chunk)
      if (this.#closed) return
    }
    if (this.#peerWaits && this.#inboxBytes === 0) {
      this.#peerWaits = false
      this.peer!.#handlers?.drain?.()
    }
    if (this.#ended && this.#inbox.length === 0) this.#close()
  }

  /** As with sockets: when one side ended and all was delivered, both sides see the connection close. */
  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#handlers?.close()
    const peer = this.peer!
    peer.#ended = true
    peer.#schedule()
  }
}

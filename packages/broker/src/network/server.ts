/**
 * The shell of the network: binds listeners, carries bytes between connections and their cores, reaps idle ones, and
 * drains on close. Holds no decision about the protocol: `dispatch` answers requests, and says for how long a client is
 * held back.
 */
import {
  type Address,
  type BufferPool,
  type Clock,
  type Connection,
  formatAddress,
  type Listener,
  type Net,
  type Timer,
} from "@millrace/host"
import { ConnectionCore, type ConnectionLimits, type Slot } from "./connection.ts"
import type { BrokerCounters } from "../metrics/counters.ts"
import type { Admission, ConnectionQuotas } from "./connection-quotas.ts"
import type { ConnectionIdentity } from "./context.ts"
import type { ListenerSecurity } from "../security/listener-security.ts"
import type { ListenerSpec } from "./listeners.ts"
import type { Refusals } from "../security/refusals.ts"
import type { ServerLog } from "../server-log.ts"

export interface ServerOptions {
  readonly net: Net
  readonly clock: Clock
  readonly limits: ConnectionLimits
  /** connections.max.idle.ms; negative for never. */
  readonly idleMsMax: number
  readonly quotas: ConnectionQuotas
  readonly counters: BrokerCounters
  readonly refusals: Refusals
  /** Where requests are gathered. */
  readonly buffers: BufferPool
  /** Of the listener of this name. */
  security(listener: string): ListenerSecurity
  /** Answers one request, now or later, through `answer`; `fail` closes the connection instead. */
  dispatch(request: ServerRequest): void
  readonly log: ServerLog
}

/** Of one listener, as many as wait before a port of Kafka's (`socket.listen.backlog.size`). */
const WAITING_MAX = 50
const RETRY_MS = 1_000

export interface ServerRequest {
  readonly frame: Uint8Array
  readonly listener: string
  readonly connection: ConnectionIdentity
  /**
   * Null: no answer is sent. A positive `throttleMs` mutes the connection after it was sent (KIP-219). `taken` is called when
   * nobody reads the chunks any more; where the connection ends first, never.
   */
  answer(chunks: readonly Uint8Array[] | null, throttleMs: number, taken?: () => void): void
  /** Nobody reads the frame any more, nor a view of it. Where nobody can say so, the frame is the garbage collector's. */
  release(): void
  /** Ends the connection instead; the reason goes to the log. */
  fail(reason?: string): void
  /** Takes no further request, and closes once this one and those before it are answered. */
  end(): void
}

export class Server {
  readonly #options: ServerOptions
  readonly #connections = new Set<ServerConnection>()
  readonly #listeners = new Map<string, Listener>()
  /** Those that there is no room for yet, of all listeners; the first come first. */
  readonly #waiting = new Set<ServerConnection>()
  #retry: Timer | undefined
  #reaper: Timer | undefined
  #nextConnectionId = 1
  #closing = false
  #onEmpty: (() => void) | undefined

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Binds all listeners, or none: the first failure closes those already bound. Answers what was really bound. */
  async listen(specs: readonly ListenerSpec[]): Promise<ListenerSpec[]> {
    const { net, security, refusals } = this.#options
    const bound: ListenerSpec[] = []
    try {
      for (const spec of specs) {
        const { tls } = security(spec.name)
        const accept = (connection: Connection) => this.#accept(spec.name, connection)
        const listener = await net.listen(spec.address, accept, {
          ...(tls && { tls }),
          onRefused: (remote, reason) => refusals.authenticationFailed({ listener: spec.name, remote, reason }),
        })
        this.#listeners.set(spec.name, listener)
        bound.push({ ...spec, address: listener.address })
      }
    } catch (cause) {
      await this.#closeListeners()
      throw cause
    }
    this.#scheduleReaper()
    return bound
  }

  /** New connections see what `security` says of the listener now. */
  refreshTls(listener: string): void {
    const { tls } = this.#options.security(listener)
    if (tls) this.#listeners.get(listener)?.useTls?.(tls)
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Stops accepting and reading, lets requests in progress be answered for up to `drainMs`, then cuts what is left. */
  async close(drainMs: number): Promise<void> {
    this.#closing = true
    this.#reaper?.cancel()
    this.#retry?.cancel()
    const closed = this.#closeListeners()
    for (const connection of this.#waiting) connection.destroy()
    for (const connection of this.#connections) connection.core.drain()
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#options.clock.setTimer(drainMs, resolve)
        this.#onEmpty = () => {
          timer.cancel()
          resolve()
        }
      })
    }
    for (const connection of this.#connections) connection.destroy()
    await closed
  }

  async #closeListeners(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()))
  }

  #accept(listener: string, socket: Connection): void {
    if (this.#closing) return this.#refuse(socket, 0)
    // A limit may have been raised since: who came before goes first.
    this.#letIn()
    const ahead = [...this.#waiting].filter((other) => other.listener === listener)
    const admission: Admission = ahead.length > 0 ? { waitsFor: ahead[0]!.waitsFor } : this.#admit(listener, socket)
    const waits = "waitsFor" in admission
    if (waits && ahead.length >= WAITING_MAX)
      return this.#refuse(socket, 0, `${admission.waitsFor} is reached, and ${WAITING_MAX} wait for a place already`)
    if (!waits && admission.refusal !== undefined) return this.#refuse(socket, admission.afterMs, admission.refusal)
    const connection: ServerConnection = new ServerConnection(
      this.#nextConnectionId++,
      listener,
      socket,
      this.#options,
      () => this.#ended(connection),
    )
    if (!waits) return this.#begin(connection, admission.afterMs)
    connection.core.mute()
    connection.waitsFor = admission.waitsFor
    this.#waiting.add(connection)
    this.#options.log(...ofConnection(socket.remote, "waits", `${admission.waitsFor} is reached`))
    this.#scheduleRetry()
  }

  #admit(listener: string, { remote }: Connection): Admission {
    return this.#options.quotas.admit(listener, remote, this.#options.clock.monotonic())
  }

  #begin(connection: ServerConnection, afterMs: number): void {
    // While it waited it could not ask for anything.
    connection.activeAtMs = this.#options.clock.monotonic() + afterMs
    connection.mute(afterMs)
    this.#options.counters.connectionsAccepted++
    this.#connections.add(connection)
  }

  #ended(connection: ServerConnection): void {
    const { listener, socket } = connection
    if (this.#connections.delete(connection)) {
      this.#options.quotas.release(listener, socket.remote)
      if (this.#connections.size === 0) this.#onEmpty?.()
      this.#letIn()
    } else this.#waiting.delete(connection)
  }

  /** Those who wait, in the order they came, as far as there is room now. Whose listener has none is passed over. */
  #letIn(): void {
    if (this.#closing) return
    const full = new Set<string>()
    for (const connection of this.#waiting) {
      const { listener, socket } = connection
      if (full.has(listener)) continue
      const admission = this.#admit(listener, socket)
      if ("waitsFor" in admission) {
        connection.waitsFor = admission.waitsFor
        full.add(listener)
        continue
      }
      this.#waiting.delete(connection)
      const { afterMs, refusal } = admission
      if (refusal === undefined) {
        this.#begin(connection, afterMs)
        if (afterMs <= 0) connection.core.unmute()
      } else {
        this.#refused(socket, refusal)
        this.#destroyAfter(socket, afterMs)
      }
    }
  }

  /** A limit may be raised while nobody leaves. */
  #scheduleRetry(): void {
    this.#retry ??= this.#options.clock.setTimer(
      RETRY_MS,
      () => {
        this.#retry = undefined
        this.#letIn()
        if (this.#waiting.size > 0) this.#scheduleRetry()
      },
      { background: true },
    )
  }

  #refuse(socket: Connection, afterMs: number, refusal?: string): void {
    this.#refused(socket, refusal)
    socket.attach({ data: () => {}, close: () => {} })
    this.#destroyAfter(socket, afterMs)
  }

  #refused(socket: Connection, refusal?: string): void {
    this.#options.counters.connectionsRefused++
    if (refusal !== undefined) this.#options.log(...ofConnection(socket.remote, "refused", refusal))
  }

  #destroyAfter(socket: Connection, afterMs: number): void {
    if (afterMs > 0) this.#options.clock.setTimer(afterMs, () => socket.destroy(), { background: true })
    else socket.destroy()
  }

  #scheduleReaper(): void {
    const { idleMsMax, clock } = this.#options
    if (idleMsMax < 0 || this.#closing) return
    const sweepMs = Math.max(1, Math.min(idleMsMax, 60_000))
    this.#reaper = clock.setTimer(
      sweepMs,
      () => {
        const oldest = clock.monotonic() - idleMsMax
        for (const connection of this.#connections) {
          if (connection.core.unanswered === 0 && connection.activeAtMs <= oldest) connection.destroy()
        }
        this.#scheduleReaper()
      },
      { background: true },
    )
  }
}

class ServerConnection {
  readonly core: ConnectionCore
  readonly listener: string
  readonly socket: Connection
  /** When a request came last, or could come first. */
  activeAtMs: number
  /** While it waits: the setting whose limit keeps the first one of its listener waiting. */
  waitsFor = ""
  readonly #clock: Clock
  #throttle: Timer | undefined
  #mutedUntilMs = 0

  constructor(id: number, listener: string, socket: Connection, options: ServerOptions, onClose: () => void) {
    this.listener = listener
    this.socket = socket
    this.#clock = options.clock
    this.activeAtMs = options.clock.monotonic()
    const security = options.security(listener)
    const identity: ConnectionIdentity = {
      id,
      principal: security.principal(socket.subject),
      authentication: security.newAuthentication(),
      remote: socket.remote,
      local: socket.local,
      softwareName: "",
      softwareVersion: "",
      onClose: new Set(),
    }
    const close = (reason?: string) => {
      if (reason !== undefined) options.log(...ofConnection(socket.remote, "closed", reason))
      // An orderly end flushes the answers already written; after a broken frame there is nothing to wait for.
      if (reason !== undefined) return socket.destroy()
      // A paused socket would never see that the peer ends its side too. What still comes is dropped.
      socket.resume()
      socket.end()
    }
    this.core = new ConnectionCore(options.limits, options.buffers, {
      request: (frame: Uint8Array, slot: Slot) => {
        options.dispatch({
          frame,
          listener,
          connection: identity,
          answer: (chunks, throttleMs, taken) => {
            // Before the answer, which may make room for requests that wait here.
            this.mute(throttleMs)
            this.core.answer(slot, chunks, taken)
          },
          release: () => options.buffers.giveBack(frame),
          fail: (reason) => {
            this.core.closed()
            close(reason)
          },
          end: () => this.core.drain(),
        })
      },
      send: (chunks, taken) => {
        socket.write(chunks, taken)
        return socket.pendingBytes
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      close,
    })
    socket.attach({
      data: (chunk) => {
        this.activeAtMs = options.clock.monotonic()
        this.core.receive(chunk)
      },
      drain: () => this.core.drained(socket.pendingBytes),
      close: () => {
        this.#throttle?.cancel()
        this.core.closed()
        onClose()
        for (const giveUp of identity.onClose) giveUp()
      },
    })
  }

  destroy(): void {
    this.socket.destroy()
  }

  /** Takes no request for so long. */
  mute(throttleMs: number): void {
    if (throttleMs <= 0) return
    const until = this.#clock.monotonic() + throttleMs
    // Of requests that were in progress together the longest time counts.
    if (until <= this.#mutedUntilMs) return
    this.#mutedUntilMs = until
    this.core.mute()
    this.#throttle?.cancel()
    this.#throttle = this.#clock.setTimer(throttleMs, () => this.core.unmute(), { background: true })
  }
}

function ofConnection(remote: Address, what: "waits" | "refused" | "closed", reason: string): Parameters<ServerLog> {
  const peer = formatAddress(remote)
  return [`connection of ${peer} ${what}: ${reason}`, { level: "warn", event: `connection-${what}`, peer, reason }]
}

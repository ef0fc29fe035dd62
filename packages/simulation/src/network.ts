/**
 * A network in virtual time: ordered byte streams between named hosts, with delays drawn from the seed.
 *
 * Faults: `cut` ends connections as a reset would, with what was under way lost; `isolate` holds all traffic of a host
 * back (connections look alive and say nothing) until `heal`; `clog` holds back single connections for a while, so that
 * what was sent on one arrives long after its sender gave up and went on over another; `vanish` takes a process away whose
 * machine cannot say so: its peers have connections that look alive, and are reset once the machine is back and they write;
 * `duplicates` is how often a connection arrives twice, the second time with nobody at its other end. A connection that its owner closed,
 * or died over, ends at the peer after a delay, and what had been handed to the network still arrives before that.
 *
 * Chunks are read when they arrive, as late as the port allows: a writer that changes one before it was taken, and a reader
 * that believes a chunk to be its own after all, are found out. They arrive cut in half, so that every frame has to be gathered.
 */
import {
  type Address,
  type Connection,
  type ConnectionHandlers,
  formatAddress,
  type Listener,
  type Net,
  NetError,
} from "@millrace/host"
import { ProcessDied, runUntilDeath } from "./disk.ts"
import type { SeededRandom } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

/** One-way delay in virtual milliseconds: mostly short, sometimes long. */
const DELAY_MS_TYPICAL = 0.2
const DELAY_MS_LONG = 40
const LONG_DELAY_CHANCE = 0.01
/** After which a sender without an answer tries again. */
const RETRANSMIT_MS = 200
const EPHEMERAL_PORT_FIRST = 40_000
/** `write` answers false above this many undelivered bytes. */
const WRITE_BUFFER_BYTES = 64 * 1024

/** What travels: its writer learns when it was read. */
interface Piece {
  readonly bytes: Uint8Array
  readonly taken: (() => void) | undefined
}

interface Owner {
  readonly name: string
  readonly alive: boolean
}

export class SimulatedNetwork {
  readonly #scheduler: Scheduler
  readonly #random: SeededRandom
  readonly #listeners = new Map<string, { readonly owner: Owner; readonly accept: (connection: Connection) => void }>()
  readonly #pipes = new Set<Pipe>()
  readonly #isolated = new Set<string>()
  #nextPort = EPHEMERAL_PORT_FIRST
  duplicates = 0

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler
    this.#random = random
  }

  /** The network as one process sees it. */
  attach(owner: Owner): Net {
    return {
      listen: (address, accept) => this.#listen(owner, address, accept),
      connect: (address) => this.#connect(owner, address),
    }
  }

  /** Resets every connection of a host with the given chance. */
  cut(host: string, chance = 1): void {
    for (const pipe of this.#pipes) if (pipe.touches(host) && this.#random.chance(chance)) pipe.reset("ECONNRESET")
  }

  /** Holds each connection of a host back with the given chance, each for its own time of at most `msMax`. */
  clog(host: string, chance: number, msMax: number): void {
    for (const pipe of this.#pipes) {
      if (!pipe.touches(host) || !this.#random.chance(chance)) continue
      pipe.clogged++
      this.schedule(this.#random.int(msMax), "unclog", () => {
        pipe.clogged--
        pipe.wake()
      })
    }
  }

  isolate(host: string): void {
    this.#isolated.add(host)
  }

  heal(): void {
    this.duplicates = 0
    this.#isolated.clear()
    for (const pipe of this.#pipes) pipe.wake()
  }

  /** The process is gone: its listeners vanish and its peers learn of it after a delay. */
  kill(owner: Owner): void {
    for (const [key, listener] of this.#listeners) if (listener.owner === owner) this.#listeners.delete(key)
    for (const pipe of this.#pipes) if (pipe.owners.includes(owner) && !pipe.isHalfOpen) pipe.orphan(owner)
  }

  /** Like `kill`, and nobody tells the peers. */
  vanish(owner: Owner): void {
    for (const pipe of this.#pipes) if (pipe.owners.includes(owner)) pipe.isHalfOpen = true
    this.kill(owner)
  }

  /** Whether somebody on the host listens, and so answers for connections that it does not know. */
  isUp(host: string): boolean {
    return [...this.#listeners.values()].some(({ owner }) => owner.name === host && owner.alive)
  }

  isHeld(pipe: Pipe): boolean {
    return [...this.#isolated].some((host) => pipe.touches(host))
  }

  delayMs(): number {
    return this.#random.chance(LONG_DELAY_CHANCE)
      ? this.#random.float() * DELAY_MS_LONG
      : this.#random.float() * DELAY_MS_TYPICAL
  }

  schedule(delayMs: number, label: string, run: () => void): void {
    this.#scheduler.schedule(delayMs, label, () => runUntilDeath(run))
  }

  drop(pipe: Pipe): void {
    this.#pipes.delete(pipe)
  }

  #listen(owner: Owner, address: Address, accept: (connection: Connection) => void): Promise<Listener> {
    if (!owner.alive) return new Promise(() => {})
    const port = address.port === 0 ? this.#nextPort++ : address.port
    const key = `${address.host}:${port}`
    if (this.#listeners.has(key)) {
      return Promise.reject(
        new NetError("EADDRINUSE", address, `cannot listen on ${formatAddress(address)}: the port is in use`),
      )
    }
    this.#listeners.set(key, { owner, accept })
    return Promise.resolve({
      address: { host: address.host, port },
      close: () => {
        this.#listeners.delete(key)
        return Promise.resolve()
      },
    })
  }

  #pipe(client: Owner, server: Owner, address: Address): Pipe {
    const pipe = new Pipe(this, client, server, { host: client.name, port: this.#nextPort++ }, address)
    this.#pipes.add(pipe)
    return pipe
  }

  #connect(owner: Owner, address: Address): Promise<Connection> {
    if (!owner.alive) return new Promise(() => {})
    return new Promise((resolve, reject) => {
      this.schedule(this.delayMs(), `connect ${owner.name} ${address.port}`, () => {
        if (!owner.alive) return
        const listener = this.#listeners.get(`${address.host}:${address.port}`)
        if (listener === undefined || !listener.owner.alive) {
          return reject(
            new NetError("ECONNREFUSED", address, `cannot connect to ${formatAddress(address)}: connection refused`),
          )
        }
        const pipe = this.#pipe(owner, listener.owner, address)
        listener.accept(pipe.ends[1])
        if (this.duplicates > 0 && this.#random.chance(this.duplicates)) {
          listener.accept(this.#pipe(owner, listener.owner, address).ends[1])
        }
        resolve(pipe.ends[0])
      })
    })
  }
}

/** Two ends, a queue towards each. */
export class Pipe {
  readonly owners: readonly [Owner, Owner]
  readonly ends: readonly [End, End]
  clogged = 0
  /** One of its ends is gone, and the other does not know. */
  isHalfOpen = false
  readonly #network: SimulatedNetwork

  constructor(network: SimulatedNetwork, client: Owner, server: Owner, local: Address, remote: Address) {
    this.#network = network
    this.owners = [client, server]
    const first = new End(network, this, client, local, remote)
    const second = new End(network, this, server, remote, local)
    first.peer = second
    second.peer = first
    this.ends = [first, second]
  }

  touches(host: string): boolean {
    return this.owners.some((owner) => owner.name === host)
  }

  reset(code: string): void {
    for (const end of this.ends) end.fail(code)
    this.#network.drop(this)
  }

  orphan(dead: Owner): void {
    for (const end of this.ends) if (end.owner === dead) end.peer!.peerDied()
  }

  wake(): void {
    for (const end of this.ends) end.deliver()
  }

  get held(): boolean {
    return this.clogged > 0 || this.#network.isHeld(this)
  }
}

class End implements Connection {
  readonly owner: Owner
  readonly local: Address
  readonly remote: Address
  peer: End | undefined
  readonly #network: SimulatedNetwork
  readonly #pipe: Pipe
  #handlers: ConnectionHandlers | undefined
  /** What travels towards this end, oldest first; "end" is the orderly end of the stream. */
  readonly #incoming: (Piece | "end")[] = []
  #incomingBytes = 0
  #paused = false
  #closed = false
  #ended = false
  #delivering = false
  #wantsDrain = false

  constructor(network: SimulatedNetwork, pipe: Pipe, owner: Owner, local: Address, remote: Address) {
    this.#network = network
    this.#pipe = pipe
    this.owner = owner
    this.local = local
    this.remote = remote
  }

  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers
    this.deliver()
  }

  write(chunks: readonly Uint8Array[], taken?: () => void): boolean {
    if (!this.owner.alive) throw new ProcessDied(`${this.owner.name} is dead`)
    if (this.#closed || this.#ended) return false
    if (this.#pipe.isHalfOpen) return this.#writeToNobody()
    const peer = this.peer!
    const pieces = chunks.flatMap(halves)
    for (const [index, bytes] of pieces.entries()) {
      peer.#incoming.push({ bytes, taken: index === pieces.length - 1 ? taken : undefined })
      peer.#incomingBytes += bytes.length
    }
    peer.deliver()
    if (peer.#incomingBytes <= WRITE_BUFFER_BYTES) return true
    this.#wantsDrain = true
    return false
  }

  /** It learns that it is alone once there is a machine that answers. */
  #writeToNobody(): boolean {
    this.#network.schedule(RETRANSMIT_MS, `retransmit ${this.owner.name} ${this.local.port}`, () => {
      if (this.#closed || !this.owner.alive) return
      if (this.#network.isUp(this.remote.host)) this.#pipe.reset("ECONNRESET")
      else this.#writeToNobody()
    })
    return true
  }

  get pendingBytes(): number {
    return this.peer!.#incomingBytes
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.deliver()
  }

  end(): void {
    if (this.#closed || this.#ended) return
    this.#ended = true
    this.peer!.#incoming.push("end")
    this.peer!.deliver()
  }

  destroy(): void {
    if (this.#closed) return
    this.#close()
    this.peer!.peerDied()
  }

  fail(code: string): void {
    if (this.#closed) return
    this.#incoming.length = 0
    this.#close(new NetError(code, this.remote, `connection to ${formatAddress(this.remote)} was reset`))
  }

  /** The other side is gone: what it sent still arrives, then the connection ends. */
  peerDied(): void {
    if (this.#closed) return
    this.#incoming.push("end")
    this.deliver()
  }

  /** Hands over one piece after a delay, then the next: order is kept, time passes between them. */
  deliver(): void {
    if (this.#delivering || this.#closed || this.#paused || this.#handlers === undefined || this.#incoming.length === 0)
      return
    if (this.#pipe.held) return
    this.#delivering = true
    this.#network.schedule(
      this.#network.delayMs(),
      `deliver ${this.owner.name} ${this.local.port}<${this.remote.port}`,
      () => {
        this.#delivering = false
        if (this.#closed || !this.owner.alive || this.#paused || this.#pipe.held) return
        // All that arrived by now comes together, as TCP would give it.
        while (this.#incoming.length > 0 && !this.#closed && !this.#paused) {
          const piece = this.#incoming.shift()!
          if (piece === "end") {
            this.#close()
            this.peer!.peerClosed()
            this.#network.drop(this.#pipe)
            break
          }
          this.#incomingBytes -= piece.bytes.length
          // What the reader gets is its own.
          const copy = new Uint8Array(piece.bytes)
          if (this.peer!.owner.alive) piece.taken?.()
          this.#handlers?.data(copy)
        }
        this.peer!.drained()
        this.deliver()
      },
    )
  }

  drained(): void {
    if (!this.#wantsDrain || this.#closed || !this.owner.alive || this.pendingBytes > WRITE_BUFFER_BYTES / 2) return
    this.#wantsDrain = false
    this.#handlers?.drain?.()
  }

  peerClosed(): void {
    if (!this.#closed && this.owner.alive) this.#close()
  }

  #close(error?: NetError): void {
    this.#closed = true
    if (!this.owner.alive) return
    this.#network.schedule(0, `close ${this.owner.name} ${this.local.port}`, () => {
      if (this.owner.alive) this.#handlers?.close(error)
    })
  }
}

function halves(chunk: Uint8Array): Uint8Array[] {
  const middle = chunk.length >> 1
  return middle === 0 ? [chunk] : [chunk.subarray(0, middle), chunk.subarray(middle)]
}

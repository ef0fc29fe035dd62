/**
 * The real network, cut again and again: a connection dies either before a request left or before its answer is
 * delivered. Where it is cut is left to chance, how often is not: no two cuts are further apart than `2 * every`.
 */
import type { Address, Connection, ConnectionHandlers, Net } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"

export class FlakyNet implements Net {
  cuts = 0
  #every = Number.POSITIVE_INFINITY
  #left = Number.POSITIVE_INFINITY

  /** From now on one chunk of `every`, at the mean, is lost with its connection; infinity cuts none. */
  cutOneOf(every: number): void {
    this.#every = every
    this.#left = this.#distance()
  }

  listen: Net["listen"] = nodeHost.net.listen

  async connect(address: Address, options?: { readonly timeoutMs?: number }): Promise<Connection> {
    return new FlakyConnection(await nodeHost.net.connect(address, options), () => {
      if (--this.#left > 0) return false
      this.#left = this.#distance()
      this.cuts++
      return true
    })
  }

  #distance(): number {
    return this.#every === Number.POSITIVE_INFINITY ? this.#every : 1 + Math.floor(Math.random() * 2 * this.#every)
  }
}

class FlakyConnection implements Connection {
  readonly #inner: Connection
  readonly #cut: () => boolean
  constructor(inner: Connection, cut: () => boolean) {
    this.#inner = inner
    this.#cut = cut
  }
  get remote(): Address {
    return this.#inner.remote
  }
  get local(): Address {
    return this.#inner.local
  }
  get pendingBytes(): number {
    return this.#inner.pendingBytes
  }
  attach(handlers: ConnectionHandlers): void {
    this.#inner.attach({
      ...handlers,
      data: (chunk) => {
        if (this.#cut()) this.#inner.destroy()
        else handlers.data(chunk)
      },
      close: (error) => handlers.close(error),
    })
  }
  write(chunks: readonly Uint8Array[], taken?: () => void): boolean {
    if (this.#cut()) {
      this.#inner.destroy()
      return false
    }
    return this.#inner.write(chunks, taken)
  }
  pause(): void {
    this.#inner.pause()
  }
  resume(): void {
    this.#inner.resume()
  }
  end(): void {
    this.#inner.end()
  }
  destroy(): void {
    this.#inner.destroy()
  }
}

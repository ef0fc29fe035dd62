/**
 * The real network, cut at random: a connection dies either before a request left or before its answer is delivered.
 */
import type { Address, Connection, ConnectionHandlers, Net } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"

export class FlakyNet implements Net {
  cuts = 0
  /** Chance that a chunk is lost, with its connection. */
  chance = 0

  listen: Net["listen"] = nodeHost.net.listen

  async connect(address: Address, options?: { readonly timeoutMs?: number }): Promise<Connection> {
    return new FlakyConnection(await nodeHost.net.connect(address, options), () => {
      if (Math.random() >= this.chance) return false
      this.cuts++
      return true
    })
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
  write(chunks: readonly Uint8Array[]): boolean {
    if (this.#cut()) {
      this.#inner.destroy()
      return false
    }
    return this.#inner.write(chunks)
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

/**
 * The engine that keeps everything in memory. It has no disk, so a process that restarts replays the whole changelog.
 *
 * Writes take effect one microtask later, in order, as the engine on disk settles its own.
 */
import { byteString, bytesOf } from "./byte-order.ts"
import {
  type Checkpoint,
  engineName,
  type EngineStats,
  type EngineWrite,
  parseEngineName,
  type StateEngine,
  type StateEngines,
} from "./engine.ts"

export class MemoryEngine implements StateEngine {
  readonly #entries = new Map<string, Uint8Array>()
  #bytes = 0
  #sorted: string[] | undefined
  #checkpoint: Checkpoint | undefined

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#entries.get(byteString(key))
  }

  *range(from?: Uint8Array, to?: Uint8Array, reverse = false): Iterable<readonly [Uint8Array, Uint8Array]> {
    const first = from && byteString(from)
    const end = to && byteString(to)
    const keys = (this.#sorted ??= [...this.#entries.keys()].sort())
    for (const key of reverse ? keys.toReversed() : keys) {
      if (first !== undefined && key < first) continue
      if (end !== undefined && key >= end) {
        if (reverse) continue
        return
      }
      const value = this.#entries.get(key)
      if (value !== undefined) yield [bytesOf(key), value]
    }
  }

  async write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void> {
    await Promise.resolve()
    for (const { key, value } of batch) {
      const name = byteString(key)
      const before = this.#entries.get(name)
      if (before !== undefined) this.#bytes -= name.length + before.length
      if (value === null) this.#entries.delete(name)
      else {
        this.#entries.set(name, value)
        this.#bytes += name.length + value.length
      }
    }
    this.#sorted = undefined
    this.#checkpoint = checkpoint
  }

  checkpoint(): Checkpoint | undefined {
    return this.#checkpoint
  }

  stats(): EngineStats {
    return { entries: this.#entries.size, bytes: this.#bytes }
  }

  async clear(): Promise<void> {
    this.#entries.clear()
    this.#bytes = 0
    this.#sorted = undefined
    this.#checkpoint = undefined
  }
}

export class MemoryEngines implements StateEngines {
  readonly #engines = new Map<string, StateEngine>()

  open(store: string, partition: number): StateEngine {
    const name = engineName(store, partition)
    const known = this.#engines.get(name)
    if (known) return known
    const engine = this.make(name)
    this.#engines.set(name, engine)
    return engine
  }

  list() {
    const written = [...this.#engines].filter(([, engine]) => engine.checkpoint() !== undefined)
    return written.map(([name]) => parseEngineName(name))
  }

  protected make(_name: string): StateEngine {
    return new MemoryEngine()
  }

  async destroy(store: string, partition: number): Promise<void> {
    this.#engines.delete(engineName(store, partition))
  }

  async close(): Promise<void> {}
}

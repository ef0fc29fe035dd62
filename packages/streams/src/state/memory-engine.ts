/**
 * The engine that keeps everything in memory. It has no disk, so a process that restarts replays the whole changelog.
 *
 * Writes take effect one microtask later, in order, as the engine on disk settles its own.
 */
import {
  type Checkpoint,
  type EngineImage,
  engineName,
  type EngineStats,
  type EngineWrite,
  contentOf,
  type StateEngine,
  type StateEngines,
} from "./engine.ts"

export class MemoryEngine implements StateEngine {
  readonly #entries = new Map<string, Uint8Array>()
  #bytes = 0
  #sorted: string[] | undefined
  #checkpoint: Checkpoint | undefined
  /** Of each image that is in use: what keys had that were written since. */
  readonly #images = new Set<Map<string, Uint8Array | undefined>>()

  get(key: string): Uint8Array | undefined {
    return this.#entries.get(key)
  }

  *range(from?: string, to?: string, reverse = false): Iterable<readonly [string, Uint8Array]> {
    const keys = (this.#sorted ??= [...this.#entries.keys()].sort())
    for (const key of reverse ? keys.toReversed() : keys) {
      if (from !== undefined && key < from) continue
      if (to !== undefined && key >= to) {
        if (reverse) continue
        return
      }
      const value = this.#entries.get(key)
      if (value !== undefined) yield [key, value]
    }
  }

  *keys(from?: string, to?: string): Iterable<string> {
    for (const [key] of this.range(from, to)) yield key
  }

  async write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void> {
    await Promise.resolve()
    for (const { key, value } of batch) {
      const before = this.#entries.get(key)
      this.#keepForImages(key, before)
      if (before !== undefined) this.#bytes -= key.length + before.length
      if (value === null) this.#entries.delete(key)
      else {
        this.#entries.set(key, value)
        this.#bytes += key.length + value.length
      }
    }
    this.#sorted = undefined
    this.#checkpoint = checkpoint
  }

  checkpoint(): Checkpoint | undefined {
    return this.#checkpoint
  }

  #keepForImages(key: string, value: Uint8Array | undefined): void {
    for (const before of this.#images) if (!before.has(key)) before.set(key, value)
  }

  image(): EngineImage | undefined {
    const checkpoint = this.#checkpoint
    if (checkpoint === undefined) return undefined
    const before = new Map<string, Uint8Array | undefined>()
    this.#images.add(before)
    return {
      checkpoint,
      entries: () => this.#entriesWith(before),
      release: () => void this.#images.delete(before),
    }
  }

  *#entriesWith(before: ReadonlyMap<string, Uint8Array | undefined>): Iterable<readonly [string, Uint8Array]> {
    for (const entry of this.#entries) if (!before.has(entry[0])) yield entry
    // Some of these were met above, before they changed: they had this value then.
    for (const [key, value] of before) if (value !== undefined) yield [key, value]
  }

  stats(): EngineStats {
    return { entries: this.#entries.size, bytes: this.#bytes }
  }

  async clear(): Promise<void> {
    for (const [key, value] of this.#entries) this.#keepForImages(key, value)
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
    return contentOf(this.#engines)
  }

  protected make(_name: string): StateEngine {
    return new MemoryEngine()
  }

  async destroy(store: string, partition: number): Promise<void> {
    this.#engines.delete(engineName(store, partition))
  }

  async close(): Promise<void> {}
}

/**
 * An engine whose disk may lose its last writes: after `forget` it is the consistent point of the past that it was so many
 * writes ago, as a power cut may leave a real one.
 */
import { MemoryEngine, MemoryEngines } from "@millrace/streams/state/memory-engine"
import type { Checkpoint, EngineStats, EngineWrite, StateEngine } from "@millrace/streams/state/engine"

export class ForgetfulEngine implements StateEngine {
  #engine = new MemoryEngine()
  #history: Array<{ readonly batch: readonly EngineWrite[]; readonly checkpoint: Checkpoint }> = []

  get(key: string): Uint8Array | undefined {
    return this.#engine.get(key)
  }

  range(from?: string, to?: string, reverse = false): Iterable<readonly [string, Uint8Array]> {
    return this.#engine.range(from, to, reverse)
  }

  keys(from?: string, to?: string): Iterable<string> {
    return this.#engine.keys(from, to)
  }

  async write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void> {
    this.#history.push({ batch: [...batch], checkpoint })
    await this.#engine.write(batch, checkpoint)
  }

  checkpoint(): Checkpoint | undefined {
    return this.#engine.checkpoint()
  }

  stats(): EngineStats {
    return this.#engine.stats()
  }

  async clear(): Promise<void> {
    this.#history = []
    await this.#engine.clear()
  }

  /** Loses the last `writes`, or all there are. */
  async forget(writes: number): Promise<void> {
    this.#history = this.#history.slice(0, Math.max(0, this.#history.length - writes))
    this.#engine = new MemoryEngine()
    for (const { batch, checkpoint } of this.#history) await this.#engine.write(batch, checkpoint)
  }
}

export class ForgetfulEngines extends MemoryEngines {
  readonly #made: ForgetfulEngine[] = []

  protected override make(): StateEngine {
    const engine = new ForgetfulEngine()
    this.#made.push(engine)
    return engine
  }

  async forget(writes: number): Promise<void> {
    for (const engine of this.#made) await engine.forget(writes)
  }
}

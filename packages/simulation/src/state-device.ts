/**
 * Where the state engines of one machine's processes rest. It keeps the history of every engine, and a crash may take any
 * end of it: what is left is a consistent point of the past, as the engines' contract allows and no more.
 *
 * Writes take virtual time and settle in order; one under way when its process dies may or may not have happened. What
 * `get` and `range` handed out is overwritten by the next call, since its owner may rely on it no longer.
 */
import {
  type Checkpoint,
  engineName,
  type EngineStats,
  type EngineWrite,
  contentOf,
  parseEngineName,
  type StateEngine,
  type StateEngines,
} from "@millrace/streams/state/engine"
import { ProcessDied } from "./disk.ts"
import type { SeededRandom } from "./random.ts"

const WRITE_MS_MAX = 40
/** As real engines do after a kill, more often than after a loss of power. */
const KEEPS_ALL_CHANCE = 0.5

export interface StateProcess {
  readonly alive: boolean
  readonly name: string
  kill(): void
  readonly clock: { setTimer(delayMs: number, callback: () => void): unknown }
}

/** One change of an engine: a batch with its checkpoint, or the end of all content. */
type Change = { readonly batch: readonly EngineWrite[]; readonly checkpoint: Checkpoint } | "clear"

export class Content {
  readonly entries = new Map<string, Uint8Array>()
  checkpoint: Checkpoint | undefined

  apply(change: Change): void {
    if (change === "clear") {
      this.entries.clear()
      this.checkpoint = undefined
      return
    }
    for (const { key, value } of change.batch) {
      if (value === null) this.entries.delete(key)
      else this.entries.set(key, value)
    }
    this.checkpoint = change.checkpoint
  }
}

export class StateDevice {
  readonly random: SeededRandom
  readonly #histories = new Map<string, Change[]>()
  /** Writes that crashes took back. */
  forgotten = 0
  #writesUntilDeath = Infinity

  constructor(random: SeededRandom) {
    this.random = random
  }

  attach(process: StateProcess): StateEngines {
    return new SimulatedEngines(this, process)
  }

  /** Arms a crash inside the n-th write from now. */
  dieInWrite(countdown: number): void {
    this.#writesUntilDeath = countdown
  }

  /** The process is gone: each engine keeps a beginning of its history. */
  crash(): void {
    this.#writesUntilDeath = Infinity
    for (const history of this.#histories.values()) {
      const kept = this.random.chance(KEEPS_ALL_CHANCE) ? history.length : this.random.int(history.length + 1)
      this.forgotten += history.length - kept
      history.length = kept
    }
  }

  history(name: string): Change[] {
    let history = this.#histories.get(name)
    if (history === undefined) this.#histories.set(name, (history = []))
    return history
  }

  /** What each engine would come back with. */
  contents(): ReadonlyArray<{ readonly store: string; readonly partition: number; readonly content: Content }> {
    return [...this.#histories].map(([name, history]) => {
      const content = new Content()
      for (const change of history) content.apply(change)
      return { ...parseEngineName(name), content }
    })
  }

  remove(name: string): void {
    this.#histories.delete(name)
  }

  /** Whether the process dies in this write. */
  strikes(): boolean {
    if (--this.#writesUntilDeath > 0) return false
    this.#writesUntilDeath = Infinity
    return true
  }
}

class SimulatedEngines implements StateEngines {
  readonly #device: StateDevice
  readonly #process: StateProcess
  readonly #engines = new Map<string, SimulatedEngine>()

  constructor(device: StateDevice, process: StateProcess) {
    this.#device = device
    this.#process = process
    for (const { store, partition, content } of device.contents()) {
      const name = engineName(store, partition)
      this.#engines.set(name, new SimulatedEngine(device, process, name, content))
    }
  }

  open(store: string, partition: number): StateEngine {
    const name = engineName(store, partition)
    let engine = this.#engines.get(name)
    if (engine === undefined) {
      engine = new SimulatedEngine(this.#device, this.#process, name, new Content())
      this.#engines.set(name, engine)
    }
    return engine
  }

  list() {
    return contentOf(this.#engines)
  }

  async destroy(store: string, partition: number): Promise<void> {
    const name = engineName(store, partition)
    this.#engines.delete(name)
    this.#device.remove(name)
  }

  async close(): Promise<void> {}
}

class SimulatedEngine implements StateEngine {
  readonly #device: StateDevice
  readonly #process: StateProcess
  readonly #name: string
  readonly #content: Content
  #settled: Promise<void> = Promise.resolve()
  /** Handed out by the last call. */
  #lent: Uint8Array | undefined

  constructor(device: StateDevice, process: StateProcess, name: string, content: Content) {
    this.#device = device
    this.#process = process
    this.#name = name
    this.#content = content
  }

  get(key: string): Uint8Array | undefined {
    this.#check()
    return this.#lend(this.#content.entries.get(key))
  }

  *range(from?: string, to?: string, reverse = false): Iterable<readonly [string, Uint8Array]> {
    const keys = [...this.#content.entries.keys()].sort()
    for (const key of reverse ? keys.toReversed() : keys) {
      this.#check()
      if ((from !== undefined && key < from) || (to !== undefined && key >= to)) continue
      const value = this.#content.entries.get(key)
      if (value !== undefined) yield [key, new Uint8Array(value)]
    }
  }

  *keys(from?: string, to?: string): Iterable<string> {
    for (const [key] of this.range(from, to)) yield key
  }

  write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void> {
    return this.#change({
      batch: batch.map(({ key, value }) => ({ key, value: value && new Uint8Array(value) })),
      checkpoint: { ...checkpoint },
    })
  }

  clear(): Promise<void> {
    return this.#change("clear")
  }

  stats(): EngineStats {
    let bytes = 0
    for (const [key, value] of this.#content.entries) bytes += key.length + value.length
    return { entries: this.#content.entries.size, bytes }
  }

  checkpoint(): Checkpoint | undefined {
    this.#check()
    return this.#content.checkpoint
  }

  #change(change: Change): Promise<void> {
    this.#check()
    this.#device.history(this.#name).push(change)
    if (this.#device.strikes()) {
      this.#process.kill()
      this.#check()
    }
    const before = this.#settled
    const delayMs = this.#device.random.float() * WRITE_MS_MAX
    const done = new Promise<void>((resolve) => void this.#process.clock.setTimer(delayMs, () => resolve()))
    this.#settled = before.then(() => done).then(() => this.#content.apply(change))
    return this.#settled
  }

  /** A copy for the caller, in place of what the last call lent. */
  #lend(bytes: Uint8Array | undefined): Uint8Array | undefined {
    this.#lent?.fill(0xff)
    this.#lent = bytes && new Uint8Array(bytes)
    return this.#lent
  }

  #check(): void {
    if (!this.#process.alive) throw new ProcessDied(`${this.#process.name} is dead`)
  }
}

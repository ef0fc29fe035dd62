/**
 * Frees the local state of tasks that have been elsewhere for a while (`state.cleanup.delay.ms`).
 *
 * State that stays spares a restore when its task comes back, so it is kept for the delay, counted from when it was first
 * seen unowned in this run. Stores that the pipeline does not have any more go the same way.
 */
import type { Clock, Timer } from "@millrace/host"
import { engineName, type StateEngines } from "../state/engine.ts"

export interface StateCleanerOptions {
  readonly engines: StateEngines
  readonly clock: Clock
  readonly delayMs: number
  /** Whether a task of this process, active, standby or being opened, has the store now. */
  readonly isInUse: (store: string, partition: number) => boolean
  readonly onCleaned: (store: string, partition: number) => void
  readonly onFailure: (cause: unknown) => void
}

/** Looked for this often within a delay. */
const CHECKS_PER_DELAY = 4

export class StateCleaner {
  readonly #options: StateCleanerOptions
  readonly #unownedSince = new Map<string, number>()
  #timer: Timer | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: StateCleanerOptions) {
    this.#options = options
  }

  start(): void {
    const { clock, delayMs, onFailure } = this.#options
    const check = () => {
      this.#running = this.run().catch(onFailure)
      this.start()
    }
    this.#timer = clock.setTimer(Math.max(1, delayMs / CHECKS_PER_DELAY), check, { background: true })
  }

  /** Looks once; waits for what it frees. */
  async run(): Promise<void> {
    const { engines, clock, delayMs, isInUse, onCleaned } = this.#options
    const now = clock.monotonic()
    for (const { store, partition } of engines.list()) {
      const name = engineName(store, partition)
      if (isInUse(store, partition)) {
        this.#unownedSince.delete(name)
        continue
      }
      const since = this.#unownedSince.get(name) ?? now
      this.#unownedSince.set(name, since)
      if (now - since < delayMs) continue
      this.#unownedSince.delete(name)
      onCleaned(store, partition)
      await engines.destroy(store, partition)
    }
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    await this.#running
  }
}

/**
 * Frees the local state of tasks that have been elsewhere for a while (`state.cleanup.delay.ms`).
 *
 * State that stays spares a restore when its task comes back, so it is kept for the delay, counted from when it was first
 * seen unowned in this run. Stores that the pipeline does not have any more go the same way.
 */
import type { Clock, Timer } from "@millrace/host"
import { engineName, type StateEngines } from "../state/engine.ts"
import { formatTaskId } from "../topology/naming.ts"
import type { Topology } from "../topology/topology.ts"
import type { TaskClaims } from "./claims.ts"
import type { ResolvedRunOptions } from "./options.ts"

export interface StateCleanerOptions {
  readonly engines: StateEngines
  readonly clock: Clock
  readonly delayMs: number
  /** Takes a store that no task of this process has, active, standby or being opened; answers how to give it back. */
  readonly claim: (store: string, partition: number) => (() => void) | undefined
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
    const { engines, clock, delayMs, claim, onCleaned } = this.#options
    const now = clock.monotonic()
    for (const { store, partition } of engines.list()) {
      const name = engineName(store, partition)
      const release = claim(store, partition)
      if (release === undefined) {
        this.#unownedSince.delete(name)
        continue
      }
      try {
        const since = this.#unownedSince.get(name) ?? now
        this.#unownedSince.set(name, since)
        if (now - since < delayMs) continue
        this.#unownedSince.delete(name)
        onCleaned(store, partition)
        await engines.destroy(store, partition)
      } finally {
        release()
      }
    }
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    await this.#running
  }
}

/** Starts the cleaner of a process; answers how to stop it. */
export function startCleaner(of: {
  readonly topology: Topology
  readonly engines: StateEngines
  readonly claims: TaskClaims
  readonly options: ResolvedRunOptions
  readonly isGlobalHere: (store: string, partition: number) => boolean
}): () => Promise<void> {
  const { topology, engines, claims, options, isGlobalHere } = of
  const cleaner = new StateCleaner({
    engines,
    clock: options.host.clock,
    delayMs: options.stateCleanupDelayMs,
    claim: (store, partition) => {
      if (isGlobalHere(store, partition)) return undefined
      const owner = topology.subtopologies.find((one) => one.stores.some(({ name }) => name === store))
      const task = owner && formatTaskId({ subtopology: owner.id, partition })
      // What the pipeline does not have any more is nobody's.
      if (task === undefined || !claims.knows(task)) return () => {}
      return claims.tryAcquireAlone(task) ? () => claims.release(task) : undefined
    },
    onCleaned: (store, partition) =>
      options.log(`state of store ${store}, partition ${partition} is freed: its task has been elsewhere`),
    onFailure: (cause) => options.log(`state could not be freed: ${String(cause)}`),
  })
  cleaner.start()
  return () => cleaner.stop()
}

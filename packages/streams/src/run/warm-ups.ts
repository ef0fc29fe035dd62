/**
 * Watches copies that are to become active, and asks for a rebalance once one is good enough: whoever moves a task should
 * not have to wait for the next probing rebalance, which Kafka Streams leaves it to (KIP-441).
 *
 * Each task asks once. When the leader sees it otherwise, the probing interval asks again.
 */
import type { Clock, Timer } from "@millrace/host"
import { parseTaskId } from "../topology/naming.ts"
import type { Topology } from "../topology/topology.ts"
import { changelogEnds, type ReadableEnds } from "./changelog-ends.ts"
import type { Standbys } from "./standbys.ts"

export interface WarmUpsOptions {
  readonly topology: Topology
  readonly clock: Clock
  readonly standbys: Standbys
  readonly acceptableRecoveryLag: number
  readonly probingRebalanceIntervalMs: number
  readonly readableEnds: ReadableEnds
  readonly rebalance: (reason: string) => void
}

const CHECK_INTERVAL_MS = 500

export class WarmUps {
  readonly #options: WarmUpsOptions
  readonly #told = new Set<string>()
  #tasks: readonly string[] = []
  #since = 0
  #timer: Timer | undefined

  constructor(options: WarmUpsOptions) {
    this.#options = options
  }

  get tasks(): readonly string[] {
    return this.#tasks
  }

  assign(tasks: readonly string[]): void {
    this.#tasks = tasks
    for (const task of this.#told) if (!tasks.includes(task)) this.#told.delete(task)
    this.#since = this.#options.clock.monotonic()
    this.#schedule()
  }

  close(): void {
    this.assign([])
  }

  #schedule(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#tasks.length === 0) return
    const check = () => {
      // A cluster that cannot be asked now is asked again.
      this.#check().then(
        () => this.#schedule(),
        () => this.#schedule(),
      )
    }
    this.#timer = this.#options.clock.setTimer(CHECK_INTERVAL_MS, check, { background: true })
  }

  async #check(): Promise<void> {
    const { clock, probingRebalanceIntervalMs, rebalance } = this.#options
    const waited = this.#tasks
    if (clock.monotonic() - this.#since >= probingRebalanceIntervalMs) {
      this.#since = clock.monotonic()
      rebalance("copies of tasks have warmed up for the probing interval")
      return
    }
    const untold = waited.filter((task) => !this.#told.has(task))
    if (untold.length === 0) return
    const done = await this.#areWarm(untold)
    if (done.length === 0 || waited !== this.#tasks) return
    for (const task of done) this.#told.add(task)
    rebalance(`copies are ready to become active: ${done.join(", ")}`)
  }

  async #areWarm(tasks: readonly string[]): Promise<string[]> {
    const { topology, standbys, readableEnds, acceptableRecoveryLag } = this.#options
    // Positions first: what is read meanwhile only brings the copy nearer than it seems.
    const positions = standbys.positions()
    const ends = await changelogEnds(topology, tasks.map(parseTaskId), readableEnds)
    return tasks.filter((task) => {
      const position = positions.get(task)
      if (position === undefined) return false
      return (ends.get(task) ?? 0) - position <= acceptableRecoveryLag
    })
  }
}

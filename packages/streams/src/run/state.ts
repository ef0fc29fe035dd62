/**
 * What a run is doing. The names are those of Kafka Streams' states:
 *
 *     created -> rebalancing <-> running -> pending-shutdown -> not-running
 *                     any of them -> pending-error -> error
 *
 * It is rebalancing until it has its first assignment, and while tasks of it are being restored; with an assignment of no
 * tasks it is running, ready to take over. Pausing is no state: a paused run is running.
 */
import { StateError } from "../errors.ts"

export type RunState =
  | "created"
  | "rebalancing"
  | "running"
  | "pending-shutdown"
  | "not-running"
  | "pending-error"
  | "error"

export class StateHolder {
  #state: RunState = "created"
  #waiting: PromiseWithResolvers<boolean> | undefined
  readonly #onChange: (state: RunState, before: RunState) => void

  constructor(onChange: (state: RunState, before: RunState) => void) {
    this.#onChange = onChange
  }

  get state(): RunState {
    return this.#state
  }

  /** Ends are final, and a listener that throws changes nothing about the run. */
  become(state: RunState): void {
    const before = this.#state
    if (before === state || FINAL.has(before) || (ENDING.has(before) && !FINAL.has(state) && !ENDING.has(state))) return
    this.#state = state
    if (state === "running" || FINAL.has(state)) {
      this.#waiting?.resolve(state === "running")
      this.#waiting = undefined
    }
    try {
      this.#onChange(state, before)
    } catch {
      // The listener's own matter.
    }
  }

  /** Waits for `running`, or rejects with what ended the run before. */
  async untilRunning(applicationId: string, done: Promise<void>): Promise<void> {
    if (this.#state === "running" || (await this.#runsOrEnds())) return
    await done
    throw new StateError(`application "${applicationId}" was closed before it was running`)
  }

  #runsOrEnds(): Promise<boolean> {
    if (FINAL.has(this.#state)) return Promise.resolve(false)
    this.#waiting ??= Promise.withResolvers()
    return this.#waiting.promise
  }
}

const FINAL: ReadonlySet<RunState> = new Set(["not-running", "error"])
const ENDING: ReadonlySet<RunState> = new Set(["pending-shutdown", "pending-error"])

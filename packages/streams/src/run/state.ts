/**
 * What a run is doing. The names are those of Kafka Streams' states:
 *
 *     created -> rebalancing <-> running -> pending-shutdown -> not-running
 *                     any of them -> pending-error -> error
 *
 * It is rebalancing until it has its first assignment, and while tasks of it are being restored; with an assignment of no
 * tasks it is running, ready to take over. Pausing is no state: a paused run is running.
 */
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
    try {
      this.#onChange(state, before)
    } catch {
      // The listener's own matter.
    }
  }
}

const FINAL: ReadonlySet<RunState> = new Set(["not-running", "error"])
const ENDING: ReadonlySet<RunState> = new Set(["pending-shutdown", "pending-error"])

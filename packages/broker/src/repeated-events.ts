/**
 * Events that clients cause, as often as they like: the first of a kind is told at once; how often it came again is told once a
 * minute, for as long as it does. No more kinds are kept than somebody could read; those beyond are counted together.
 */
import type { Clock, Timer } from "@millrace/host"
import type { ServerEvent, ServerLog } from "./server-log.ts"

const WINDOW_MS = 60_000
const KINDS_MAX = 1_000

interface Repeated {
  readonly message: string
  readonly event: ServerEvent
  again: number
}

export class RepeatedEvents {
  readonly #clock: Clock
  readonly #log: ServerLog
  readonly #kinds = new Map<string, Repeated>()
  #untold = 0
  #timer: Timer | undefined

  constructor(clock: Clock, log: ServerLog) {
    this.#clock = clock
    this.#log = log
  }

  /** Events with the same `kind` are one that repeats. */
  tell(kind: string, message: string, event: ServerEvent): void {
    const known = this.#kinds.get(kind)
    if (known !== undefined) {
      known.again++
      return
    }
    if (this.#kinds.size >= KINDS_MAX) {
      this.#untold++
      return
    }
    this.#kinds.set(kind, { message, event, again: 0 })
    this.#log(message, event)
    this.#timer ??= this.#clock.setTimer(WINDOW_MS, () => this.#sum(), { background: true })
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #sum(): void {
    this.#timer = undefined
    for (const [kind, repeated] of this.#kinds) {
      const { message, event, again } = repeated
      if (again === 0) this.#kinds.delete(kind)
      else this.#log(`${message} (${again} more within the last minute)`, { ...event, again })
      repeated.again = 0
    }
    if (this.#untold > 0)
      this.#log(`${this.#untold} more refusals within the last minute are not told one by one`, {
        ...{ level: "warn", event: "refusals-untold", count: this.#untold },
      })
    this.#untold = 0
    if (this.#kinds.size > 0) this.#timer = this.#clock.setTimer(WINDOW_MS, () => this.#sum(), { background: true })
  }
}

/**
 * Virtual time: a queue of events ordered by time, then by the order in which they were scheduled.
 *
 * After each event everything that it caused is run to the end: promise jobs are drained before the next event, so an
 * asynchronous program advances exactly as far as it can without time passing. That makes a run a function of its seed.
 * The trace is a running hash over (time, label) of every event; the same seed twice must give the same one.
 */
export interface ScheduledEvent {
  readonly atMs: number
  readonly order: number
  readonly label: string
  cancelled: boolean
  readonly run: () => void
}

/** Where virtual wall-clock time starts: 2026-01-01T00:00:00Z. */
export const EPOCH_MS = 1_767_225_600_000

export class Scheduler {
  #nowMs = 0
  #order = 0
  readonly #heap: ScheduledEvent[] = []
  #trace = 0x811c9dc5
  #events = 0
  /** Called with every event, for a person who reads a failing seed. */
  onEvent: ((atMs: number, label: string) => void) | undefined

  get nowMs(): number {
    return this.#nowMs
  }

  get eventCount(): number {
    return this.#events
  }

  /** Hash over all events so far, and over what `note` added. */
  get trace(): string {
    return (this.#trace >>> 0).toString(16).padStart(8, "0")
  }

  schedule(delayMs: number, label: string, run: () => void): ScheduledEvent {
    const event: ScheduledEvent = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      label,
      cancelled: false,
      run,
    }
    this.#push(event)
    return event
  }

  /** Adds an observation to the trace. */
  note(label: string): void {
    this.#mix(label)
    this.onEvent?.(this.#nowMs, label)
  }

  /** Runs events until `until` holds (checked after each event), the time is over, or nothing is left. */
  async run(options: { readonly untilMs?: number; readonly until?: () => boolean }): Promise<"done" | "time" | "idle"> {
    await settle()
    for (;;) {
      if (options.until?.()) return "done"
      const event = this.#pop()
      if (event === undefined) return "idle"
      if (event.cancelled) continue
      if (options.untilMs !== undefined && event.atMs > options.untilMs) {
        this.#push(event)
        this.#nowMs = options.untilMs
        return "time"
      }
      this.#nowMs = event.atMs
      this.#events++
      this.#mix(`${event.atMs} ${event.label}`)
      this.onEvent?.(event.atMs, event.label)
      event.run()
      await settle()
    }
  }

  #mix(text: string): void {
    let value = this.#trace
    for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
    this.#trace = value
  }

  #push(event: ScheduledEvent): void {
    const heap = this.#heap
    let index = heap.push(event) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(event, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = event
  }

  #pop(): ScheduledEvent | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

function before(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atMs !== b.atMs ? a.atMs < b.atMs : a.order < b.order
}

/** Lets every pending promise job run. A macrotask begins only when none is left. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

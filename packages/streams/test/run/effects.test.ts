/** How effects are timed: run/effects.ts. */
import type { Clock } from "@millrace/host"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { CallTimeout } from "../../src/errors.ts"
import { effectPort } from "../../src/run/effects.ts"

/** Timers that the test fires, in the order in which it wants. */
class ManualClock implements Clock {
  #nowMs = 0
  readonly timers: Array<{ readonly atMs: number; readonly run: () => void }> = []

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, run: () => void) {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run }
    this.timers.push(timer)
    return { cancel: () => void this.timers.splice(this.timers.indexOf(timer), 1) }
  }

  pass(ms: number): void {
    this.#nowMs += ms
  }

  /** What is due, the greatest delay first: a process that stood still meets its timers in no better order. */
  async fire(): Promise<void> {
    const due = this.timers.filter(({ atMs }) => atMs <= this.#nowMs).sort((left, right) => right.atMs - left.atMs)
    for (const timer of due) {
      const at = this.timers.indexOf(timer)
      if (at < 0) continue
      this.timers.splice(at, 1)
      timer.run()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

function started(make: () => Effect.Effect<unknown>) {
  const clock = new ManualClock()
  const results: unknown[] = []
  effectPort(clock).start({ make, timeoutMs: 100, retry: undefined } as never, (result) => results.push(result))
  return { clock, results }
}

test("an effect whose result was there when the process went on after standing still has not timed out", async () => {
  const { clock, results } = started(() => Effect.as(Effect.sleep(10), "result"))
  clock.pass(5_000)
  await clock.fire()
  expect(results).toEqual([{ ok: true, value: "result" }])
  expect(clock.timers).toEqual([])
})

test("an effect that has no result gets the time again in which the process stood still, and once", async () => {
  const { clock, results } = started(() => Effect.never)
  clock.pass(130)
  await clock.fire()
  clock.pass(29)
  await clock.fire()
  expect(results).toEqual([])
  clock.pass(1)
  await clock.fire()
  expect(results).toEqual([{ ok: false, error: new CallTimeout(100), expected: true }])
})

/**
 * The states of a run, and who waits for it to be running.
 */
import { describe, expect, test } from "vitest"
import { type RunState, StateHolder } from "../../src/run/state.ts"

/** Whoever waits while a run goes through these states is answered so. */
async function waiting(before: readonly RunState[], after: readonly RunState[], done: Promise<void>): Promise<string> {
  const states = new StateHolder(() => {})
  for (const state of before) states.become(state)
  const answer = states.untilRunning("shop", done).then(
    () => "runs",
    (failure: Error) => failure.message,
  )
  for (const state of after) states.become(state)
  return await answer
}

describe("O4: whoever waits for a run", () => {
  const never = new Promise<void>(() => {})
  test.each<[string, RunState[], RunState[]]>([
    ["is answered when it runs", ["rebalancing"], ["running"]],
    ["is answered at once where it runs", ["rebalancing", "running"], []],
    ["waits again while it rebalances", ["running", "rebalancing"], ["running"]],
    ["is answered also when it ends right after", ["rebalancing"], ["running", "pending-shutdown", "not-running"]],
  ])("%s", async (_, before, after) => {
    expect(await waiting(before, after, never)).toBe("runs")
  })

  const closed = 'application "shop" was closed before it was running'
  test.each<[string, RunState[], RunState[]]>([
    ["closed meanwhile", ["rebalancing"], ["pending-shutdown", "not-running"]],
    ["closed before", ["running", "pending-shutdown", "not-running"], []],
  ])("is told that it was %s", async (_, before, after) => {
    expect(await waiting(before, after, Promise.resolve())).toBe(closed)
  })

  test.each<[string, RunState[], RunState[]]>([
    ["meanwhile", ["rebalancing"], ["pending-error", "error"]],
    ["before", ["running", "pending-error", "error"], []],
  ])("is told what ended it %s", async (_, before, after) => {
    expect(await waiting(before, after, Promise.reject(new Error("the disk is full")))).toBe("the disk is full")
  })
})

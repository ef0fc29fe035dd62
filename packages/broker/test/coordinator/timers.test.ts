import { VirtualClock } from "@millrace/host/virtual-clock"
import { expect, test } from "vitest"
import { KeyedTimers } from "../../src/coordinator/timers.ts"

test("what should have fired is known, in the order of its times, until it is settled, moved or disarmed", () => {
  const clock = new VirtualClock()
  const timers = new KeyedTimers<string>(clock, () => {})
  const arm = (key: string, delayMs: number) => timers.apply({ key, delayMs, timeout: key })
  const overdue = () => timers.overdue().map(({ key }) => key)
  for (const [key, delayMs] of [
    ["late", 30],
    ["moved", 10],
    ["gone", 10],
    ["early", 20],
  ] as const)
    arm(key, delayMs)
  expect(overdue()).toEqual([])
  arm("moved", 100)
  timers.apply({ key: "gone", delayMs: null })
  clock.stall(15)
  expect(overdue()).toEqual([])
  clock.stall(15)
  expect(overdue()).toEqual(["early", "late"])
  // Nobody has decided about them: they are still to be told.
  expect(overdue()).toEqual(["early", "late"])
  for (const due of timers.overdue()) timers.settle(due)
  expect(overdue()).toEqual([])
  arm("new", 5)
  clock.stall(5)
  expect(overdue()).toEqual(["new"])
  clock.stall(65)
  expect(overdue()).toEqual(["new", "moved"])
})

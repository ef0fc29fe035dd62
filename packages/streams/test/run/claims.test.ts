/**
 * Workers of one process over the same memory, as their threads have it.
 */
import { nodeHost } from "@millrace/host/node"
import { expect, test } from "vitest"
import { TaskClaims } from "../../src/run/claims.ts"

const TASKS = ["0_0", "0_1", "1_0"]
const never = new AbortController().signal

function workers(count: number): TaskClaims[] {
  const memory = TaskClaims.memory(TASKS.length)
  return Array.from({ length: count }, (_, worker) => new TaskClaims(TASKS, worker, memory))
}

test("a task is one worker's at a time, however often it takes it, until it has let go as often", () => {
  const [first, second] = workers(2) as [TaskClaims, TaskClaims]
  expect([first.tryAcquire("0_1"), first.tryAcquire("0_1"), second.tryAcquire("0_1")]).toEqual([true, true, false])
  first.release("0_1")
  expect(second.tryAcquire("0_1")).toBe(false)
  first.release("0_1")
  expect(second.tryAcquire("0_1")).toBe(true)
  expect([first.tryAcquire("0_0"), second.tryAcquire("1_0")]).toEqual([true, true])
  // What is not held cannot be let go for another.
  first.release("1_0")
  expect(first.tryAcquire("1_0")).toBe(false)
})

test("who waits gets it when it is let go, or stops waiting when it is not wanted any more", async () => {
  const [first, second] = workers(2) as [TaskClaims, TaskClaims]
  first.tryAcquire("0_0")
  const aborter = new AbortController()
  const unwanted = second.acquire("0_0", nodeHost.clock, aborter.signal)
  aborter.abort(new Error("not wanted"))
  await expect(unwanted).rejects.toThrow("not wanted")
  const waiting = second.acquire("0_0", nodeHost.clock, never)
  first.release("0_0")
  await waiting
  expect(first.tryAcquire("0_0")).toBe(false)
})

test("what a worker had that died is free, and what others have is not", () => {
  const [first, second] = workers(2) as [TaskClaims, TaskClaims]
  first.tryAcquire("0_0")
  first.tryAcquire("1_0")
  second.tryAcquire("0_1")
  second.releaseAllOf(0)
  const successor = workers(1)[0]!
  expect(successor.tryAcquire("0_0")).toBe(true)
  expect([second.tryAcquire("1_0"), second.tryAcquireAlone("0_1"), first.tryAcquire("0_1")]).toEqual([
    true,
    false,
    false,
  ])
})

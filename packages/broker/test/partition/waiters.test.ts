import { describe, expect, test } from "vitest"
import { OffsetWaiters } from "../../src/partition/waiters.ts"

describe("offset waiters", () => {
  test("each is settled once, when its offset is reached, in the order of offsets", () => {
    const waiters = new OffsetWaiters()
    const settled: (string | number | undefined)[] = []
    waiters.add(10, () => settled.push("ten"))
    waiters.add(5, () => settled.push("five"))
    waiters.add(10, () => settled.push("ten again"))
    waiters.reached(4)
    expect(settled).toEqual([])
    waiters.reached(9)
    expect(settled).toEqual(["five"])
    waiters.reached(10)
    waiters.reached(11)
    expect(settled).toEqual(["five", "ten", "ten again"])
    expect(waiters.size).toBe(0)
  })

  test("one that gave up is not called; the rest learn why they never will be", () => {
    const waiters = new OffsetWaiters()
    const settled: (number | undefined)[] = []
    waiters.add(5, (error) => settled.push(error)).done = true
    waiters.add(6, (error) => settled.push(error))
    waiters.failAll(6)
    expect(settled).toEqual([6])
  })

  test("a waiter added while others are settled waits its turn", () => {
    const waiters = new OffsetWaiters()
    const settled: number[] = []
    waiters.add(5, () => {
      settled.push(5)
      waiters.add(6, () => settled.push(6))
    })
    waiters.reached(5)
    expect(settled).toEqual([5])
    waiters.reached(6)
    expect(settled).toEqual([5, 6])
  })
})

import fc from "fast-check"
import { expect, test } from "vitest"
import { Intake } from "../../src/task/intake.ts"

test("it grows while it is used and commits hardly wait, up to the ceiling", () => {
  const intake = new Intake(1_000, undefined)
  for (let commit = 0; commit < 10; commit++) intake.drained(intake.max, 0)
  expect(intake.max).toBe(1_000)
})

test("what is not used does not grow", () => {
  const intake = new Intake(1_000, undefined)
  for (let commit = 0; commit < 10; commit++) intake.drained(3, 0)
  expect(intake.max).toBe(64)
})

test("after a timeout a quarter of what waited may wait, in the end a single record", () => {
  const intake = new Intake(1_000, undefined)
  intake.drained(40, 1)
  expect(intake.max).toBe(10)
  for (let timeout = 0; timeout < 5; timeout++) intake.drained(intake.max, 1)
  expect(intake.max).toBe(1)
})

test("calls that are made at the same time take as long as one: as many are begun with, however long that is", () => {
  const intake = new Intake(1_000, 8)
  expect(intake.max).toBe(8)
  for (let commit = 0; commit < 5; commit++) intake.drained(intake.max, 0.5)
  expect(intake.max).toBe(8)
  intake.drained(8, 0.01)
  expect(intake.max).toBe(16)
  // Two waves, which take too long.
  intake.drained(16, 0.9)
  expect(intake.max).toBe(8)
  // One behind the other, after all.
  intake.drained(8, 1)
  expect(intake.max).toBe(2)
  intake.drained(2, 0.2)
  expect(intake.max).toBe(4)
})

test("rule 11: whatever an effect takes, commits come to fit their time", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.0001, max: 0.9, noNaN: true }), (partEach) => {
      const intake = new Intake(10_000, undefined)
      const parts = Array.from({ length: 100 }, () => {
        const part = Math.min(1, intake.max * partEach)
        intake.drained(intake.max, part)
        return part
      })
      for (const part of parts.slice(50)) expect(part).toBeLessThan(1)
    }),
  )
})

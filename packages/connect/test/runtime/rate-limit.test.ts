import fc from "fast-check"
import { expect, it } from "vitest"
import { RateLimit } from "../../src/runtime/rate-limit.ts"

it("never passes more than the rate and a burst of 50 ms, and keeps up with the rate", () => {
  const waits = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), waits, (perSecond, waitsMs) => {
      const limit = new RateLimit(perSecond, 0)
      let now = 0
      let passed = 0
      for (const waitMs of waitsMs) {
        passed += limit.take(100_000, now)
        expect(passed).toBeLessThanOrEqual((perSecond * (now + 50)) / 1000 + 1)
        now += waitMs
      }
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), (perSecond) => {
      const limit = new RateLimit(perSecond, 0)
      let now = 0
      let passed = 0
      while (now < 5_000) {
        const taken = limit.take(100_000, now)
        passed += taken
        if (taken === 0) now += limit.delayMs()
      }
      expect(passed).toBeGreaterThanOrEqual(perSecond * 5 * 0.9 - 1)
    }),
  )
})

it("passes everything without a limit", () => {
  const limit = new RateLimit(0, 0)
  expect(limit.take(1e9, 0)).toBe(1e9)
  expect(limit.delayMs()).toBe(0)
})

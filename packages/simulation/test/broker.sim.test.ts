import { describe, expect, test } from "vitest"
import { suite } from "../src/broker-suite.ts"

/** Those at which the mutants that are hardest to catch were caught, and a power cut without fsync. */
const SEEDS = [2, 5, 17, 24, 60, 63]
const TIMEOUT_MS = 120_000

describe("the broker suite", () => {
  test.each(SEEDS)("seed %i finds nothing", { timeout: TIMEOUT_MS }, async (seed) => {
    const { findings } = await suite(seed, {})
    expect(findings).toEqual([])
  })

  test("the same seed gives the same trace, another seed another", { timeout: TIMEOUT_MS }, async () => {
    const [once, again, other] = [await suite(13, {}), await suite(13, {}), await suite(14, {})]
    expect(again.trace).toBe(once.trace)
    expect(again.figures).toEqual(once.figures)
    expect(other.trace).not.toBe(once.trace)
  })

  test("a few seeds provoke what the suite is for", { timeout: TIMEOUT_MS }, async () => {
    const total = new Map<string, number>()
    for (let seed = 100; seed < 108; seed++) {
      const { findings, figures } = await suite(seed, {})
      expect(findings).toEqual([])
      for (const [figure, count] of Object.entries(figures)) total.set(figure, (total.get(figure) ?? 0) + count)
    }
    for (const figure of ["commits", "aborts", "rolls", "torn logs", "open at a start", "prepared at a start"]) {
      expect(total.get(figure), figure).toBeGreaterThan(0)
    }
  })
})

/**
 * A few seeds of the streams suite, so that `npm test` notices what breaks it; `npm run sim` runs many.
 */
import { expect, it } from "vitest"
import { suite } from "../src/streams-suite.ts"

/** Those at which faults that are hard to catch were caught, mutants and real ones, and one with power cuts. */
const SEEDS = [4, 9, 26, 37, 67, 71_181]

it.each(SEEDS)("seed %i finds nothing", async (seed) => {
  const { findings, figures } = await suite(seed, {})
  expect(findings).toEqual([])
  expect(figures["commits"]).toBeGreaterThan(0)
})

it("the same seed twice gives the same trace", async () => {
  const [first, second] = [await suite(2, {}), await suite(2, {})]
  expect(second.trace).toBe(first.trace)
})

/**
 * A few seeds of the suite of streams groups, so that `npm test` notices what breaks them; `npm run sim` runs many.
 */
import { expect, it } from "vitest"
import { suite } from "../src/streams-group-suite.ts"

/** One with power cuts, a case of the matrix, one that strikes while tasks move. */
const SEEDS = [4, 8, 9]

it.each(SEEDS)("R8: seed %i finds nothing", async (seed) => {
  const { findings, figures } = await suite(seed, {})
  expect(findings).toEqual([])
  expect(figures["commits"]).toBeGreaterThan(0)
})

/**
 * Each case of the acceptance matrix of exactly-once with a seed; `npm run sim -- --suite streams` runs them with many.
 */
import { expect, test } from "vitest"
import { CASES } from "../src/streams-cases.ts"
import { StreamsRun } from "../src/streams-run.ts"

test.each(CASES.map((one) => [one.name, one] as const))("%s", async (_, one) => {
  const { findings, figures } = await new StreamsRun(1, {}, one).run()
  expect(findings).toEqual([])
  expect(figures["strikes of cases"]).toBeGreaterThan(0)
})

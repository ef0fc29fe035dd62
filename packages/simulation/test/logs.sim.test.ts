import { describe, expect, test } from "vitest"
import { suite as consumerGroupSuite } from "../src/consumer-group-suite.ts"
import { suite as logsSuite } from "../src/logs-suite.ts"

const TIMEOUT_MS = 120_000

describe("the logs suite", () => {
  test("finds nothing, provokes what it is for, and is a function of its seed", { timeout: TIMEOUT_MS }, async () => {
    const total = new Map<string, number>()
    for (let seed = 1; seed <= 12; seed++) {
      const { findings, figures } = await logsSuite(seed, {})
      expect(findings).toEqual([])
      for (const [figure, count] of Object.entries(figures)) total.set(figure, (total.get(figure) ?? 0) + count)
    }
    const wanted = ["table looks", "window looks", "records deleted", "ledger ok", "changes", "full disks", "bit flips"]
    for (const figure of wanted) expect(total.get(figure), figure).toBeGreaterThan(0)
    const [once, again] = [await logsSuite(13, {}), await logsSuite(13, {})]
    expect(again.trace).toBe(once.trace)
  })
})

describe("the consumer-group suite", () => {
  test.each([1, 2, 3])("seed %i finds nothing", { timeout: TIMEOUT_MS }, async (seed) => {
    expect((await consumerGroupSuite(seed, {})).findings).toEqual([])
  })
})

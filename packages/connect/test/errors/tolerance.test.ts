import type { Random } from "@millrace/host"
import { describe, expect, it } from "vitest"
import { deadLetterHeaders } from "../../src/errors/dead-letter.ts"
import { type ErrorPolicy, judge, retryDelayMs, type Stage } from "../../src/errors/tolerance.ts"

const random: Random = { float: () => 0.5, int: (bound) => bound - 1, bytes: (length) => new Uint8Array(length) }
const policy = (more: Partial<ErrorPolicy>): ErrorPolicy => ({
  tolerance: "none",
  retryTimeoutMs: 0,
  retryDelayMsMax: 60_000,
  ...more,
})

describe("verdicts", () => {
  const all = { tolerance: "all" } as const
  const cases: [policy: Partial<ErrorPolicy>, stage: Stage, retriable: boolean, elapsedMs: number, verdict: string][] =
    [
      [{}, "VALUE_CONVERTER", false, 0, "fail"],
      [{}, "VALUE_CONVERTER", true, 0, "fail"],
      [all, "VALUE_CONVERTER", false, 0, "skip"],
      [all, "KEY_CONVERTER", false, 0, "skip"],
      [all, "TRANSFORMATION", false, 0, "skip"],
      [all, "TASK_PUT", false, 0, "fail"],
      [all, "TASK_PUT", true, 0, "skip"],
      [all, "KAFKA_PRODUCE", false, 0, "fail"],
      [{ retryTimeoutMs: 1_000 }, "VALUE_CONVERTER", true, 0, "retry"],
      [{ retryTimeoutMs: 1_000 }, "VALUE_CONVERTER", true, 700, "retry"],
      [{ retryTimeoutMs: 1_000 }, "VALUE_CONVERTER", true, 701, "fail"],
      [{ retryTimeoutMs: 1_000, ...all }, "VALUE_CONVERTER", true, 701, "skip"],
      [{ retryTimeoutMs: 1_000 }, "VALUE_CONVERTER", false, 0, "fail"],
      [{ retryTimeoutMs: -1 }, "VALUE_CONVERTER", true, 1e12, "retry"],
    ]
  it.each(cases)("%j at %s, passing %s, after %i ms: %s", (settings, stage, retriable, elapsedMs, verdict) => {
    expect(judge(policy(settings), { stage, retriable, attempts: 1, elapsedMs }, random).type).toBe(verdict)
  })

  it("waits 300 ms, doubling, then at random below the maximum", () => {
    expect([1, 2, 3, 4].map((attempts) => retryDelayMs(2_000, attempts, random))).toEqual([300, 600, 1_200, 2_000])
    expect(retryDelayMs(2_000, 4, { ...random, int: () => 17 })).toBe(17)
    expect(retryDelayMs(60_000, 10_000, random)).toBe(60_000)
  })
})

it("dead letters say where from and why", () => {
  const record = { topic: "t", partition: 3, offset: 9, timestamp: 1, key: null, value: null, headers: [] }
  const death = {
    connector: "c",
    task: 1,
    stage: "VALUE_CONVERTER" as const,
    className: "K",
    error: new RangeError("no"),
  }
  const headers = deadLetterHeaders(record, death)
  const texts = headers.map(({ key, value }) => [key, Buffer.from(value!).toString()])
  expect(Object.fromEntries(texts)).toMatchObject({
    "__connect.errors.topic": "t",
    "__connect.errors.partition": "3",
    "__connect.errors.offset": "9",
    "__connect.errors.connector.name": "c",
    "__connect.errors.task.id": "1",
    "__connect.errors.stage": "VALUE_CONVERTER",
    "__connect.errors.class.name": "K",
    "__connect.errors.exception.class.name": "RangeError",
    "__connect.errors.exception.message": "no",
    "__connect.errors.exception.stacktrace": expect.stringMatching(/RangeError: no\n/),
  })
})

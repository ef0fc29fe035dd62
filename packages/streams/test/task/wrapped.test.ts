/**
 * The one function around every operator of a pipeline.
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

const doubled = (options: S.PipelineOptions) =>
  S.pipeline(
    "app",
    () =>
      S.stream(In).pipe(
        S.map((value) => {
          if (value === 13) throw new RangeError("no 13")
          return value * 2
        }),
        S.keyBy((value) => `k${value % 3}`),
        S.count("counts"),
        S.toStream(),
        S.to(Out),
      ),
    options,
  )

/** Runs what is sent; answers what came out. */
async function run(pipeline: S.Pipeline, values: ReadonlyArray<number | null>) {
  await using driver = await TestDriver.start(pipeline)
  for (const [at, value] of values.entries()) driver.send(In, { key: `${at}`, value: value as number, timestamp: at })
  await driver.run()
  return { out: driver.read(Out).map(({ key, value }) => `${key} ${value}`), skipped: driver.dropped.skipped }
}

test("D11: one function is around every operator, and around all that follows it in memory", async () => {
  const seen: string[] = []
  const pipeline = doubled({
    wrap({ name, kind, task }, { key, value, timestamp }, run) {
      seen.push(`> ${task} ${name}/${kind} ${String(key)}=${JSON.stringify(value)} @${timestamp}`)
      run()
      seen.push(`< ${name}`)
    },
  })
  const { out } = await run(pipeline, [2, null])
  expect(out).toEqual(["k1 1"])
  expect(seen).toEqual([
    "> 0_0 map-1/map 0=2 @0",
    "> 0_0 key-by-2/key-by 0=4 @0",
    "> 0_0 counts-repartition-sink/repartition-sink k1=4 @0",
    "< counts-repartition-sink",
    "< key-by-2",
    "< map-1",
    "> 0_0 map-1/map 1=null @1",
    "> 0_0 key-by-2/key-by 1=null @1",
    "< key-by-2",
    "< map-1",
    "> 1_0 counts/aggregate k1=4 @0",
    "> 1_0 to-stream-6/to-stream k1=1 @0",
    "> 1_0 to-7/to k1=1 @0",
    "< to-7",
    "< to-stream-6",
    "< counts",
  ])
})

test("D11: what is not run is not processed there, and the others are", async () => {
  const pipeline = doubled({
    wrap({ kind }, { value }, run) {
      if (kind !== "key-by" || value !== 4) run()
    },
  })
  expect((await run(pipeline, [1, 2, 4])).out).toEqual(["k2 1", "k2 2"])
})

test("D11: what it throws is the operator's failure of that record, and handled as such", async () => {
  const wrap: S.OperatorWrapper = ({ kind }, { value }, run) => {
    if (kind === "key-by" && value === 4) throw new RangeError("no 4")
    run()
  }
  const failing = run(doubled({ wrap }), [1, 2])
  await expect(failing).rejects.toThrow(/pipeline "app", operator "key-by-2", record in-0@1: no 4/)
  expect(await run(doubled({ wrap, onProcessingFailure: "skip" }), [1, 2, 4])).toEqual({
    out: ["k2 1", "k2 2"],
    skipped: 1,
  })
})

test("D11: what an operator throws is seen and cannot be swallowed, and is handled where it was thrown", async () => {
  const seen: string[] = []
  const wrap: S.OperatorWrapper = ({ name }, _, run) => {
    try {
      run()
    } catch (failure) {
      seen.push(`${name}: ${(failure as Error).message}`)
    }
  }
  await expect(run(doubled({ wrap }), [13])).rejects.toThrow(/operator "map-1".*no 13/)
  expect(seen).toEqual([expect.stringMatching(/^map-1: .*no 13$/)])
  expect(await run(doubled({ wrap, onProcessingFailure: "skip" }), [13, 1])).toEqual({ out: ["k2 1"], skipped: 1 })
})

test("D11: an operator is run once, and not later, and no handler skips that", async () => {
  const twice: S.OperatorWrapper = ({ name }, _record, run) => {
    run()
    try {
      if (name === "key-by-2") run()
    } catch {
      // Not swallowed either.
    }
  }
  await expect(run(doubled({ wrap: twice, onProcessingFailure: "skip" }), [1])).rejects.toThrow(
    'pipeline "app", operator "key-by-2", wrap: run is called at most once, and before the function returns',
  )
  let kept = () => {}
  const later: S.OperatorWrapper = (_operator, _record, run) => {
    kept = run
    run()
  }
  await run(doubled({ wrap: later }), [1])
  expect(kept).toThrow("run is called at most once, and before the function returns")
})

test("D11: a function that is not synchronous ends the run before a record counts that it did not run", async () => {
  const message = (answer: string) =>
    'pipeline "app", operator "map-1", wrap: the function is synchronous and answers nothing, ' +
    `and answered ${answer}; have it call run before it returns, and await nothing`
  const late = async (_operator: unknown, _record: unknown, run: () => void) => {
    await Promise.resolve()
    run()
  }
  // The run that comes too late, and what an operator throws inside a promise, end in it and not the process.
  const early = async (_operator: unknown, _record: unknown, run: () => void) => run()
  const lazy = function* (_operator: unknown, _record: unknown, run: () => void) {
    yield run()
  }
  for (const [wrap, answer] of [
    [late, "a promise"],
    [early, "a promise"],
    [lazy, "a value"],
  ] as const) {
    const options = { wrap: wrap as unknown as S.OperatorWrapper, onProcessingFailure: "skip" } as const
    await expect(run(doubled(options), [13])).rejects.toThrow(message(answer))
  }
})

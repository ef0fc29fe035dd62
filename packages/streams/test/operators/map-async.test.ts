import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { Schedule } from "effect"
import { expect, expectTypeOf, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const Dead = S.topic("dead", { key: string, value: json<number>() })

const start = (operator: (s: S.Stream<string, number>) => S.Stream<string, any>) =>
  TestDriver.start(
    S.pipeline("app", () => operator(S.stream(In)).pipe(S.to(Out))),
    { partitions: { dead: 1 } },
  )

const send = (driver: TestDriver, ...values: readonly number[]) => {
  for (const [at, value] of values.entries()) driver.send(In, { key: "k", value, timestamp: at })
}

const values = (driver: TestDriver) => driver.read(Out).map(({ value }) => value)

/** Time is virtual: a promise is kept after so many turns of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

test("rule 9: results of promises apply in input order, whatever finishes first", async () => {
  await using driver = await start(
    S.mapAsync(
      async (n, { key, idempotencyKey }) => {
        await turns(n)
        return [key, n, idempotencyKey]
      },
      { name: "call", concurrency: 8, timeout: "1 second" },
    ),
  )
  send(driver, 50, 10, 30)
  await driver.run()
  expect(values(driver)).toEqual([
    ["k", 50, "app/in/0/0/call/0"],
    ["k", 10, "app/in/0/1/call/0"],
    ["k", 30, "app/in/0/2/call/0"],
  ])
})

class Refused extends Error {}

test("what a promise rejects with is retried, or refused at once, and put aside", async () => {
  const calls: number[] = []
  await using driver = await start(
    S.mapAsync(
      async (n) => {
        calls.push(n)
        if (n === 2) throw new Refused()
        if (n === 3 && calls.filter((one) => one === 3).length < 3) throw new Error("busy")
        return n
      },
      {
        concurrency: 1,
        timeout: "1 second",
        retry: { times: 2, schedule: Schedule.spaced("100 millis"), while: (error) => !(error instanceof Refused) },
        onFailure: (error) => (error instanceof Refused ? { deadLetter: Dead } : "fail"),
      },
    ),
  )
  send(driver, 1, 2, 3)
  await driver.run()
  expect(values(driver)).toEqual([1, 3])
  expect(calls).toEqual([1, 2, 3, 3, 3])
  expect(driver.clock.now()).toBe(200)
  expect(driver.read(Dead).map(({ value }) => value)).toEqual([2])
})

test("a function that throws before it answers a promise has failed as well", async () => {
  const broken = (n: number): Promise<number> => {
    throw new RangeError(`no ${n}`)
  }
  const call = { name: "call", concurrency: 1, timeout: 10 }
  await using driver = await start(S.mapAsync(broken, call))
  send(driver, 7)
  await expect(driver.run()).rejects.toThrow('operator "call", record in-0@0: no 7')
  await using passing = await start(S.mapAsync(broken, { ...call, onFailure: () => "skip" }))
  send(passing, 7)
  await passing.run()
  expect(passing.dropped.skipped).toBe(1)
})

const never = (signals: AbortSignal[]) => (_: number, record: { readonly signal: AbortSignal }) => {
  signals.push(record.signal)
  return new Promise<number>(() => {})
}

test("the signal is aborted when time is up", async () => {
  const signals: AbortSignal[] = []
  await using driver = await start(S.mapAsync(never(signals), { name: "call", concurrency: 2, timeout: "2 seconds" }))
  send(driver, 1)
  await expect(driver.run()).rejects.toThrow('operator "call", record in-0@0: no result within 2000 ms')
  expect(signals.map(({ aborted }) => aborted)).toEqual([true])
})

test("rule 9: the signal is aborted with the transaction, and its records are called for again", async () => {
  const signals: AbortSignal[] = []
  let isHanging = true
  const hangs = never(signals)
  await using driver = await start(
    S.mapAsync((n, record) => (isHanging ? hangs(n, record) : Promise.resolve(n)), { concurrency: 2, timeout: 100 }),
  )
  send(driver, 1, 2, 3)
  driver.process()
  await driver.abort()
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  isHanging = false
  await driver.run()
  expect(values(driver)).toEqual([1, 2, 3])
})

test("options that are wrong name it", () => {
  const call = async (n: number) => n
  expect(() => S.mapAsync(call, { concurrency: 0, timeout: 10 })).toThrow("mapAsync: a concurrency of 0")
  expect(() => S.mapAsync(call, { concurrency: 1, timeout: 0 })).toThrow("mapAsync: the timeout must be more than 0")
})

test("an async function infers, and needs no services", () => {
  const scored = S.stream(In).pipe(
    S.mapAsync(async (n, { key, signal }) => ({ key, total: n * 2, signal }), {
      concurrency: 4,
      timeout: "1 second",
      onFailure: (error) => {
        expectTypeOf(error).toEqualTypeOf<unknown>()
        return "skip"
      },
    }),
  )
  expectTypeOf(scored).toEqualTypeOf<S.Stream<string, { key: string; total: number; signal: AbortSignal }>>()
})

import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { Context, Effect, Schedule } from "effect"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const Dead = S.topic("dead", { key: string, value: json<any>() })

async function start(operator: (s: S.Stream<string, number>) => S.Stream<string, any>) {
  return await TestDriver.start(
    S.pipeline("app", () => [
      operator(S.stream(In)).pipe(S.to(Out)),
      S.stream(In).pipe(
        S.filter(() => false),
        S.to(Dead),
      ),
    ]),
  )
}

const send = (driver: TestDriver, ...values: readonly number[]) => {
  for (const [at, value] of values.entries()) driver.send(In, { key: value % 2 ? "odd" : "even", value, timestamp: at })
}

test("rule 9: results apply in input order, whatever finishes first", async () => {
  await using driver = await start(
    S.mapEffect((n) => Effect.as(Effect.sleep(n), n), { concurrency: 8, timeout: "1 second" }),
  )
  send(driver, 50, 10, 30)
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([50, 10, 30])
  expect(driver.clock.now()).toBe(50)
})

test("no more than concurrency run at once; serialBy key one per key", async () => {
  for (const [serialBy, most, time] of [
    ["none", 2, 30],
    ["key", 2, 40],
  ] as const) {
    let running = 0
    let seen = 0
    const effect = (n: number) =>
      Effect.gen(function* () {
        seen = Math.max(seen, ++running)
        yield* Effect.sleep(10)
        running--
        return n
      })
    await using driver = await start(S.mapEffect(effect, { concurrency: 2, timeout: "1 second", serialBy }))
    send(driver, 2, 4, 6, 8, 1)
    await driver.run()
    expect([seen, driver.clock.now()]).toEqual([most, time])
  }
})

test("rule 9: an abort interrupts effects, and their records run again under the same idempotency key", async () => {
  const keys: string[] = []
  let interrupted = 0
  const effect = (n: number, { idempotencyKey }: { idempotencyKey: string }) => {
    keys.push(idempotencyKey)
    return Effect.as(
      Effect.onInterrupt(Effect.sleep(10), () => Effect.sync(() => void interrupted++)),
      n,
    )
  }
  await using driver = await start(S.mapEffect(effect, { name: "call", concurrency: 4, timeout: "1 second" }))
  send(driver, 1, 2)
  driver.process()
  await driver.abort()
  await driver.run()
  expect(interrupted).toBe(2)
  expect(keys).toEqual(["app/in/0/0/call/0", "app/in/0/1/call/0", "app/in/0/0/call/0", "app/in/0/1/call/0"])
  expect(driver.read(Out).map(({ value }) => value)).toEqual([1, 2])
})

test("rule 9: several results of one record have their own idempotency keys", async () => {
  await using driver = await start((s) =>
    s.pipe(
      S.flatMap((n) => [n, n]),
      S.mapEffect((_, { idempotencyKey }) => Effect.succeed(idempotencyKey), {
        name: "call",
        concurrency: 4,
        timeout: 10,
      }),
    ),
  )
  send(driver, 1)
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual(["app/in/0/0/call/0", "app/in/0/0/call/1"])
})

test("rule 9: what timers send has a key of its own each, and the same one after a crash", async () => {
  const keys: string[] = []
  await using driver = await start((s) =>
    s.pipe(
      S.processValues("later", { timers: true, value: json<number>() }, ({ timers, forward }) => ({
        process({ key, value, timestamp }) {
          timers.set(key, timestamp + 1)
          forward(value)
        },
        onTimer: (_, time) => forward(time),
      })),
      S.mapEffect(
        (n, { idempotencyKey }) => {
          keys.push(idempotencyKey)
          return Effect.succeed(n)
        },
        { name: "call", concurrency: 1, timeout: "1 second" },
      ),
    ),
  )
  const ofTimers = () => keys.splice(0).filter((key) => !key.startsWith("app/in/"))
  const at = (...times: number[]) => {
    for (const timestamp of times) driver.send(In, { key: "k", value: timestamp, timestamp })
  }
  // Each record's timer is due at the next one, so that records come between them.
  at(0, 10, 20, 30)
  await driver.run()
  const first = ofTimers()
  expect(first).toHaveLength(3)
  at(40, 50)
  driver.process()
  await driver.crash()
  await driver.run()
  const again = ofTimers()
  expect(again.length).toBeGreaterThanOrEqual(2)
  const second = new Set(again)
  expect(second.size).toBe(2)
  expect(new Set([...first, ...second]).size).toBe(5)
})

const failing = (n: number) => (n === 2 ? Effect.fail("busy" as const) : Effect.succeed(n))

test("a failure fails the pipeline unless onFailure says otherwise", async () => {
  await using driver = await start(S.mapEffect(failing, { name: "call", concurrency: 1, timeout: 10 }))
  send(driver, 1, 2)
  await expect(driver.run()).rejects.toThrow('operator "call", record in-0@1: busy')
  expect(driver.read(Out)).toEqual([])
})

test("what lies behind a failure is told with it", async () => {
  const refused = Object.assign(new AggregateError([]), { code: "ECONNREFUSED" })
  const effect = () => Effect.fail(new TypeError("fetch failed", { cause: refused }))
  await using driver = await start(S.mapEffect(effect, { name: "call", concurrency: 1, timeout: 10 }))
  send(driver, 1)
  await expect(driver.run()).rejects.toThrow('operator "call", record in-0@0: fetch failed: ECONNREFUSED')
  class Fraud extends Context.Service<Fraud, { score: number }>()("Fraud") {}
  const needy = S.mapEffect(() => Fraud, { name: "needy", concurrency: 1, timeout: 10 })
  await using lacking = await start(needy as never)
  send(lacking, 1)
  await expect(lacking.run()).rejects.toThrow(/record in-0@0: Service not found: Fraud: .*runOptions = \{ services \}/)
})

test("skip drops and counts, a dead letter goes out in the same transaction with its reason", async () => {
  await using skipping = await start(S.mapEffect(failing, { concurrency: 1, timeout: 10, onFailure: () => "skip" }))
  send(skipping, 1, 2, 3)
  await skipping.run()
  expect(skipping.read(Out).map(({ value }) => value)).toEqual([1, 3])
  expect(skipping.dropped.skipped).toBe(1)

  await using driver = await start(
    S.mapEffect(failing, { concurrency: 1, timeout: 10, onFailure: () => ({ deadLetter: Dead }) }),
  )
  send(driver, 1, 2, 3)
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([1, 3])
  const [dead] = driver.read(Dead)
  expect([dead!.key, dead!.value]).toEqual(["even", 2])
  const headers = Object.fromEntries(dead!.headers.map(({ key, value }) => [key, String(value)]))
  expect(headers).toMatchObject({
    "__streams.errors.message": "busy",
    "__streams.errors.topic": "in",
    "__streams.errors.offset": "1",
  })
})

test("retries happen within the timeout", async () => {
  let attempts = 0
  const flaky = () => Effect.suspend(() => (++attempts < 3 ? Effect.fail("busy" as const) : Effect.succeed(attempts)))
  await using driver = await start(
    S.mapEffect(flaky, { concurrency: 1, timeout: 1_000, retry: Schedule.spaced("100 millis") }),
  )
  send(driver, 1)
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual([3])
  expect(driver.clock.now()).toBe(200)
})

test("retry tries again what is worth it, as Effect's own does, and no refusal", async () => {
  const attempts = new Map<number, number>()
  const answer = (n: number) =>
    Effect.suspend(() => {
      attempts.set(n, (attempts.get(n) ?? 0) + 1)
      return n === 1 ? Effect.succeed(n) : Effect.fail(n === 2 ? ("busy" as const) : ("refused" as const))
    })
  const dead = () => ({ deadLetter: Dead })
  const common = { concurrency: 1, timeout: 1_000, onFailure: dead } as const
  for (const retry of [
    { times: 3, while: (error: string) => error === "busy" },
    { until: (error: string) => error === "refused", schedule: Schedule.spaced(10).pipe(Schedule.upTo({ times: 3 })) },
  ]) {
    attempts.clear()
    await using driver = await start(S.mapEffect(answer, { ...common, retry }))
    send(driver, 1, 2, 3)
    await driver.run()
    expect([...attempts]).toEqual([
      [1, 1],
      [2, 4],
      [3, 1],
    ])
    expect(driver.read(Dead).map(({ value }) => value)).toEqual([2, 3])
    expect(driver.clock.now()).toBe("times" in retry ? 0 : 30)
  }
  expect(() => S.mapEffect(answer, { ...common, retry: { while: () => true } })).toThrow("needs times or a schedule")
})

test("a timeout fails the pipeline unless onFailure says otherwise", async () => {
  const call = { name: "call", concurrency: 2, timeout: 100 }
  await using driver = await start(S.mapEffect(() => Effect.never, call))
  send(driver, 1)
  await expect(driver.run()).rejects.toThrow('operator "call", record in-0@0: no result within 100 ms')

  const hanging = (n: number) => (n === 2 ? Effect.never : failing(n))
  await using patient = await start(
    S.mapEffect(hanging, {
      ...call,
      onFailure: (error) => (error instanceof S.CallTimeout ? { deadLetter: Dead } : "fail"),
    }),
  )
  send(patient, 1, 2, 3)
  await patient.run()
  expect(patient.read(Out).map(({ value }) => value)).toEqual([1, 3])
  const [dead] = patient.deadLetters("dead")
  expect(dead).toMatchObject({ error: { name: "CallTimeout", message: "no result within 100 ms, retries included" } })
})

/** With its types given: outside of a pipe nothing says what they are. */
const calling = (f: typeof failing, options: S.MapEffectOptions<string, number, "busy">) =>
  S.mapEffect<string, number, number, "busy", never, never>(f, options)

const FAILURES = {
  fails: failing,
  hangs: (n: number) => (n === 2 ? Effect.never : Effect.succeed(n)),
  throws: (n: number) => (n === 2 ? Effect.die(new RangeError("no 2")) : Effect.succeed(n)),
}

test.each(Object.entries(FAILURES))(
  "without onFailure the nearest handler decides of an effect that %s",
  async (_, f) => {
    const call = calling(f as typeof failing, { name: "call", concurrency: 2, timeout: 100 })
    await using guarded = await start(S.guard({ deadLetter: "dead" }, call))
    send(guarded, 1, 2, 3)
    await guarded.run()
    expect(guarded.read(Out).map(({ value }) => value)).toEqual([1, 3])
    // As it was read, and in its turn.
    expect(guarded.read(Dead)).toMatchObject([{ key: "even", value: 2 }])
    expect(guarded.metrics).toMatchObject({ deadLetters: 1 })

    await using skipping = await TestDriver.start(
      S.pipeline("app", () => S.stream(In).pipe(call, S.to(Out)), { onProcessingFailure: "skip" }),
    )
    send(skipping, 1, 2, 3)
    await skipping.run()
    expect(skipping.read(Out).map(({ value }) => value)).toEqual([1, 3])
    expect(skipping.dropped.skipped).toBe(1)
  },
)

test("what is nobody's failure is not skipped: a service that is missing", async () => {
  class Fraud extends Context.Service<Fraud, { score: number }>()("Fraud") {}
  const needy = S.mapEffect(() => Fraud, { name: "needy", concurrency: 1, timeout: 10, onFailure: "skip" })
  await using lacking = await start(S.guard("skip", needy as never))
  send(lacking, 1)
  await expect(lacking.run()).rejects.toThrow("Service not found: Fraud")
})

test("onFailure can be an action, and is refused where it is nothing that can be carried out", async () => {
  const call = { name: "call", concurrency: 1, timeout: 10 }
  await using driver = await start(S.mapEffect(failing, { ...call, onFailure: { deadLetter: Dead } }))
  send(driver, 1, 2)
  await driver.run()
  expect(driver.read(Dead).map(({ value }) => value)).toEqual([2])
  for (const onFailure of ["drop", { deadLetter: "dead" }, 7] as never[])
    expect(() => S.mapEffect(failing, { ...call, onFailure })).toThrow("mapEffect: onFailure must be")
  await using promising = await start(S.mapEffect(failing, { ...call, onFailure: (async () => "skip") as never }))
  send(promising, 2)
  await expect(promising.run()).rejects.toThrow('operator "call": its failure handler onFailure answered a promise')
})

test("dead letters that are told before are topics of the pipeline", async () => {
  const Told = S.topic("told", { key: string, value: json<number>() })
  const call = { name: "call", concurrency: 1, timeout: 10 }
  const pipeline = (options: Partial<S.MapEffectOptions<string, number, "busy">>) =>
    S.pipeline("app", () => S.stream(In).pipe(S.mapEffect(failing, { ...call, ...options }), S.to(Out)))
  for (const options of [
    { onFailure: { deadLetter: Told } },
    { onFailure: () => ({ deadLetter: Told }), deadLetters: [Told] },
  ]) {
    await using driver = await TestDriver.start(pipeline(options))
    send(driver, 2)
    await driver.run()
    expect(driver.read(Told).map(({ value }) => value)).toEqual([2])
  }
})

test("as many records as run at once wait for calls at first: more might not be over in time", async () => {
  await using driver = await start(calling((n) => Effect.succeed(n), { name: "call", concurrency: 2, timeout: 100 }))
  await using slow = await start(
    calling((n) => Effect.as(Effect.sleep(50), n), { name: "call", concurrency: 2, timeout: 100 }),
  )
  for (const one of [driver, slow]) {
    send(one, 1, 2, 3, 4, 5)
    one.process()
  }
  expect([driver, slow].map(({ metrics }) => metrics.perTask[0]!.waiting)).toEqual([0, 2])
  await slow.run()
  expect(slow.read(Out).map(({ value }) => value)).toEqual([1, 2, 3, 4, 5])
})

test("calls that may take half the transaction timeout are refused, those behind others with them", async () => {
  const call = (name: string, timeout: number) => calling(failing, { name, concurrency: 1, timeout })
  await expect(start(call("slow", 5_000))).rejects.toThrow(
    'pipeline "app", operator "slow": a timeout of 5000 ms must be below half the transaction timeout of 10000 ms: ' +
      "lower it, or raise transactionTimeoutMs (transaction.timeout.ms)",
  )
  await expect(start((s) => s.pipe(call("one", 3_000), call("two", 2_000)))).rejects.toThrow(
    'operators "one" and "two": timeouts of 3000 and 2000 ms, one call behind the other, must together be below half',
  )
  await using driver = await start((s) => s.pipe(call("one", 3_000), call("two", 1_999)))
  expect(driver.topology.nodes.length).toBeGreaterThan(0)
})

test("a table row that comes after a pending effect is not seen by the record before it", async () => {
  const Rows = S.topic("rows", { key: string, value: json<string>() })
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.mapEffect((n) => Effect.as(Effect.sleep(100), n), { concurrency: 8, timeout: 1_000 }),
      S.leftJoinTable("rows-join", S.table(Rows), (n, row) => `${n}:${row ?? "-"}`),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  driver.send(In, { key: "a", value: 1, timestamp: 1 }, { key: "a", value: 2, timestamp: 3 })
  driver.send(Rows, { key: "a", value: "r", timestamp: 2 })
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual(["1:-", "2:r"])
})

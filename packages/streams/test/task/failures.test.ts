/**
 * What becomes of records that cannot be read, processed or written, by handler: failed, skipped and counted, or written
 * to a dead-letter topic in the same transaction.
 */
import { json, RegistryError, string, UnknownSchemaId } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import { CorruptState } from "../../src/errors.ts"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })
const Letters = S.topic("letters", { key: string, value: json<any>() })

async function started(build: () => S.Sink<never> | S.Sink<never>[], failures: S.FailureHandlers = {}) {
  const driver = await TestDriver.start(S.pipeline("app", build, failures))
  driver.cluster.createTopic("letters", 1)
  return driver
}

const raw = (driver: TestDriver, key: string, value: string, timestamp = 1) =>
  driver.cluster.log({ topic: "in", partition: 0 }).append(timestamp, Buffer.from(key), Buffer.from(value), [])

const values = (driver: TestDriver) => driver.read(Out).map(({ value }) => value)

const letters = (driver: TestDriver) =>
  driver.cluster
    .logs("letters")[0]!
    .committed(0)
    .map(({ key, value, timestamp, headers }) => ({
      key: String(Buffer.from(key!)),
      value: String(Buffer.from(value!)),
      timestamp,
      headers: Object.fromEntries(headers.map((one) => [one.key.replace("__streams.errors.", ""), String(one.value)])),
    }))

const three = (driver: TestDriver) => {
  for (const value of [1, 2, 3]) driver.send(In, { key: "k", value, timestamp: value })
}

const refuses2 = (n: number) => {
  if (n === 2) throw new RangeError("two is too much")
  return n * 10
}

test("F1 T3: rule 3: deserialization: skipped and counted, and offsets move even when nothing decodes", async () => {
  await using driver = await started(() => S.stream(In, { onDeserializationFailure: "skip" }).pipe(S.to(Out)))
  raw(driver, "a", "{")
  raw(driver, "b", "[")
  driver.process()
  expect(await driver.commit()).toBe("committed")
  await driver.crash({ loseEngines: true })
  await driver.run()
  raw(driver, "c", "7")
  await driver.run()
  expect([values(driver), driver.dropped.skipped]).toEqual([[7], 0])
})

test("F1 F5: deserialization: a dead letter has the original bytes and time, and headers that say why and where", async () => {
  await using driver = await started(() => S.stream(In).pipe(S.to(Out)), {
    onDeserializationFailure: { deadLetter: "letters" },
  })
  raw(driver, "a", "1", 4)
  raw(driver, "b", "{oops", 5)
  await driver.run()
  expect(values(driver)).toEqual([1])
  const [letter, ...rest] = letters(driver)
  expect(rest).toEqual([])
  expect(letter).toMatchObject({ key: "b", value: "{oops", timestamp: 5 })
  expect(letter!.headers).toMatchObject({ topic: "in", partition: "0", offset: "1", operator: "source-0" })
  expect(letter!.headers["message"]).toContain("json")
})

test("F1: deserialization: a schema id that the registry does not have is the record's failure, others wait", async () => {
  const known = new Set<number>()
  const value = {
    name: "by-id",
    encode: (id: number) => Buffer.from([id]),
    decode(bytes: Uint8Array) {
      const id = bytes[0]!
      if (known.has(id)) return id
      throw new UnknownSchemaId(id, async () => {
        if (id === 9) throw new RegistryError(404, 40403, "Schema not found")
        known.add(id)
      })
    },
  }
  const Ids = S.topic("in", { key: string, value })
  await using driver = await started(() => S.stream(Ids, { onDeserializationFailure: "skip" }).pipe(S.to(Out)))
  for (const id of [1, 9, 2]) driver.send(Ids, { key: "k", value: id, timestamp: id })
  for (let turn = 0; turn < 10; turn++) {
    try {
      driver.process()
    } catch (failure) {
      await (failure as UnknownSchemaId).resolve()
    }
  }
  await driver.run()
  expect([values(driver), driver.dropped.skipped]).toEqual([[1, 2], 1])
})

test("F3: processing: the pipeline's handler skips, an operator's own comes first", async () => {
  const build = () =>
    S.stream(In).pipe(
      S.map((n) => refuses2(n + 1)),
      S.guard(
        { deadLetter: "letters" },
        S.map((n) => refuses2(n / 15)),
      ),
      S.to(Out),
    )
  await using driver = await started(build, { onProcessingFailure: "skip" })
  three(driver)
  await driver.run()
  // 1 fails the first operator, 2 becomes 30 and fails the second; 3 becomes 40, and 40 / 15 * 10.
  expect(values(driver)).toEqual([(40 / 15) * 10])
  expect(driver.dropped.skipped).toBe(1)
  // The source's bytes, not what the first operator made of them.
  expect(letters(driver)).toMatchObject([
    {
      key: "k",
      value: "2",
      headers: { exception: "RangeError", message: "two is too much", operator: "map-2", offset: "1" },
    },
  ])
})

test("F3 F5: processing: a dead-letter topic given by its definition gets the record as it stood", async () => {
  await using driver = await started(() =>
    S.stream(In).pipe(
      S.map((n) => ({ n })),
      S.guard(
        { deadLetter: Letters },
        S.map(({ n }) => refuses2(n)),
      ),
      S.to(Out),
    ),
  )
  three(driver)
  await driver.run()
  expect(values(driver)).toEqual([10, 30])
  expect(driver.read(Letters).map(({ value, timestamp }) => [value, timestamp])).toEqual([[{ n: 2 }, 2]])
})

test("F3: processing: a handler decides by what was thrown, and sees the record", async () => {
  const seen: unknown[] = []
  const handler: S.FailureHandler = ({ error, record }) => {
    seen.push([record?.value, error.site.operator])
    return error.cause instanceof RangeError ? "skip" : "fail"
  }
  await using driver = await started(() => S.stream(In).pipe(S.map(refuses2), S.map(refuses2), S.to(Out)), {
    onProcessingFailure: handler,
  })
  three(driver)
  await driver.run()
  expect(seen).toEqual([[2, "map-1"]])
  await using other = await started(
    () =>
      S.stream(In).pipe(
        S.forEach(() => {
          throw new TypeError("no")
        }),
      ),
    { onProcessingFailure: handler },
  )
  three(other)
  await expect(other.run()).rejects.toThrow('operator "for-each-1", record in-0@0: no')
})

test("F3: processing: an aggregate that was changed in place before its callback threw is as it was", async () => {
  await using driver = await started(
    () =>
      S.stream(In).pipe(
        S.aggregate("lists", {
          init: (): number[] => [],
          add(list, n) {
            list.push(n)
            refuses2(n)
            return list
          },
        }),
        S.toStream(),
        S.to(Out),
      ),
    { onProcessingFailure: "skip" },
  )
  three(driver)
  await driver.run()
  expect(values(driver)).toEqual([[1], [1, 3]])
})

test("F3: processing: a timer that fails is skipped too", async () => {
  await using driver = await started(
    () =>
      S.stream(In).pipe(
        S.processValues("timed", { timers: true }, ({ timers, forward }) => ({
          process: ({ key, value }) => timers.set(key, value),
          onTimer: (_, time) => forward(refuses2(time)),
        })),
        S.to(Out),
      ),
    { onProcessingFailure: "skip" },
  )
  three(driver)
  await driver.run()
  expect([values(driver), driver.dropped.skipped]).toEqual([[10, 30], 1])
})

test("F2: production: a value that does not encode", async () => {
  const Words = S.topic("out", { key: string, value: string })
  const build = (handler?: S.FailureHandler) => () =>
    S.stream(In).pipe(
      S.map((n) => (n === 2 ? (n as never) : `n${n}`)),
      S.to(Words, handler === undefined ? {} : { onProductionFailure: handler }),
    )
  await using driver = await started(build({ deadLetter: "letters" }), { onProductionFailure: "fail" })
  three(driver)
  await driver.run()
  expect(driver.read(Words).map(({ value }) => value)).toEqual(["n1", "n3"])
  expect(letters(driver).map(({ value }) => value)).toEqual(["2"])
  await using failing = await started(build(), { onProcessingFailure: "skip" })
  three(failing)
  await expect(failing.run()).rejects.toThrow('operator "to-2", record in-0@1')
})

test("F5: dead letters are of the transaction: written once, whatever aborts and dies", async () => {
  await using driver = await started(() => S.stream(In).pipe(S.map(refuses2), S.to(Out)), {
    onProcessingFailure: { deadLetter: "letters" },
  })
  three(driver)
  driver.process(2)
  await driver.abort()
  driver.process()
  driver.failAt("commit", "crash")
  expect(await driver.commit()).toBe("crashed")
  await driver.run()
  expect([values(driver), letters(driver).length]).toEqual([[10, 30], 1])
})

test("guard is told from what it cannot hold", () => {
  const two = S.guard("skip", (s: S.Stream<string, number>) =>
    s.pipe(
      S.map((n) => n),
      S.map((n) => n),
    ),
  )
  expect(() => S.stream(In).pipe(two)).toThrow("guard takes one operator")
})

test("F1 F3: a handler that answers nothing that can be carried out ends the run, and is told by name", async () => {
  await using late = await started(() => S.stream(In).pipe(S.map(refuses2), S.to(Out)), {
    onProcessingFailure: (async () => "skip") as never,
  })
  three(late)
  const said = /operator "map-\d": its failure handler onProcessingFailure answered a promise: answer "fail", "skip"/
  await expect(late.run()).rejects.toThrow(said)
  await using wrong = await started(() => S.stream(In).pipe(S.guard("ignore" as never, S.map(refuses2)), S.to(Out)))
  three(wrong)
  await expect(wrong.run()).rejects.toThrow(/its failure handler answered "ignore"/)
})

test("F3: damage on disk is no failure of a record, though a function throws it on as one of its own", async () => {
  const damaged = () => {
    throw new Error("while I looked", { cause: new CorruptState("rows", 0) })
  }
  await using driver = await started(() => S.stream(In).pipe(S.map(damaged), S.to(Out)), {
    onProcessingFailure: "skip",
  })
  three(driver)
  await expect(driver.run()).rejects.toThrow("while I looked")
})

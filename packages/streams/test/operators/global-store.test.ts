/**
 * Rows that a function makes of a topic's records, in every process: what it does, and what becomes of what it fails on.
 */
import { bytes, json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

interface User {
  readonly name: string
  readonly age: number
}

const Users = S.topic("users", { key: string, value: json<User>() })
const Raw = S.topic(Users.name, { key: string, value: bytes })
const Asks = S.topic("asks", { key: string, value: string })
const Out = S.topic("out", { key: string, value: string })

/** How many of each age there are, and who has which name. */
const ages = (options: S.GlobalStoreOptions<string, number> = {}) =>
  S.globalStore("ages", Users, { key: string, value: json<number>(), ...options }, ({ key, value }, rows) => {
    if (value === null) return rows.delete(`id ${key}`)
    rows.put(`id ${key}`, value.age)
    rows.put(`of ${value.age}`, (rows.get(`of ${value.age}`) ?? 0) + 1)
    if (value.age < 0) throw new RangeError(`no such age: ${value.age}`)
  })

const asking = (table: () => S.GlobalTable<string, number>, handlers: S.FailureHandlers = {}) =>
  S.pipeline(
    "app",
    () =>
      S.stream(Asks).pipe(
        S.leftJoinGlobalTable(
          table(),
          (ask) => ask,
          (ask, count) => `${ask}: ${count ?? "none"}`,
        ),
        S.to(Out),
      ),
    handlers,
  )

async function asked(driver: TestDriver, ...asks: string[]) {
  driver.send(Asks, ...asks.map((value) => ({ key: "a", value })))
  await driver.run()
  return driver
    .read(Out)
    .slice(-asks.length)
    .map(({ value }) => value)
}

test("P7: rows lie under other keys than the records, and are made of several", async () => {
  await using driver = await TestDriver.start(asking(ages), { partitions: { users: 3 } })
  driver.send(
    Users,
    { key: "1", value: { name: "ann", age: 30 } },
    { key: "2", value: { name: "bob", age: 30 } },
    { key: "3", value: { name: "cid", age: 40 } },
    { key: "1", value: null },
  )
  expect(await asked(driver, "of 30", "of 40", "id 1", "id 2")).toEqual([
    "of 30: 2",
    "of 40: 1",
    "id 1: none",
    "id 2: 30",
  ])
  driver.send(Users, { key: "4", value: { name: "dan", age: 40 } })
  expect(await asked(driver, "of 40")).toEqual(["of 40: 2"])
  await driver.crash()
  expect(await asked(driver, "of 40")).toEqual(["of 40: 2"])
})

test("P7: a processor reads global stores and tables by any key, and its stream is not repartitioned", async () => {
  const Names = S.topic("names", { key: string, value: string })
  const pipeline = S.pipeline("app", () =>
    S.stream(Asks).pipe(
      S.keyBy((ask) => ask),
      S.processValues(
        "looks",
        { tables: { ages: ages(), names: S.globalTable(Names) }, value: string },
        ({ tables, forward }) => ({
          process: ({ value }) => forward(`${tables.ages.get(value)} ${tables.names.getStamped("n").value}`),
        }),
      ),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  driver.send(Users, { key: "1", value: { name: "ann", age: 30 } })
  driver.send(Names, { key: "n", value: "north" })
  expect(await asked(driver, "of 30")).toEqual(["1 north"])
  expect([...driver.cluster.topics].filter((topic) => topic.endsWith("repartition"))).toEqual([])
})

const bad = { key: "7", value: { name: "eve", age: -1 } }

test("F4: a record that the function throws on ends the run, by name", async () => {
  await using driver = await TestDriver.start(asking(ages))
  driver.send(Users, bad)
  await expect(asked(driver, "id 7")).rejects.toThrow(
    `pipeline "app", operator "ages", record users-0@0: no such age: -1`,
  )
})

test.each<[string, S.GlobalStoreOptions<string, number>, S.FailureHandlers]>([
  ["the store says", { onProcessingFailure: "skip" }, {}],
  ["the pipeline says", {}, { onProcessingFailure: "skip" }],
  ["a dead letter, which nobody writes", { onProcessingFailure: { deadLetter: "bad" } }, {}],
])("F4: it is passed over where %s, and what it did is taken back", async (_, options, handlers) => {
  await using driver = await TestDriver.start(asking(() => ages(options), handlers))
  driver.send(Users, { key: "1", value: { name: "ann", age: 30 } }, bad, { key: "2", value: { name: "bob", age: 30 } })
  expect(await asked(driver, "id 7", "of -1", "of 30")).toEqual(["id 7: none", "of -1: none", "of 30: 2"])
  expect(driver.dropped.skipped).toBe(1)
  expect([...driver.cluster.topics]).not.toContain("bad")
})

test("F4: a handler is told the record and what was thrown", async () => {
  const told: S.FailedRecord[] = []
  const onProcessingFailure: S.FailureHandler = (failed) => {
    told.push(failed)
    return "skip"
  }
  await using driver = await TestDriver.start(asking(() => ages({ onProcessingFailure })))
  driver.send(Users, { ...bad, timestamp: 5 })
  await asked(driver, "id 7")
  expect(told[0]!.error.site).toEqual({ pipeline: "app", operator: "ages", topic: "users", partition: 0, offset: 0 })
  expect((told[0]!.error.cause as Error).message).toBe("no such age: -1")
  expect(told[0]!.record).toMatchObject({ key: "7", value: bad.value, timestamp: 5, topic: "users", offset: 0 })
})

test.each<readonly [string, () => unknown]>([
  ["a promise", async () => "skip"],
  ["undefined", () => {}],
  ['"retry"', () => "retry"],
  ['{"topic":"bad"}', () => ({ topic: "bad" })],
])("F4 F1: a handler that answers %s ends the run, by name", async (answer, handler) => {
  const given = handler as S.FailureHandler
  const said = `its failure handler answered ${answer}: answer "fail", "skip" or { deadLetter: a topic }, at once`
  await using throwing = await TestDriver.start(asking(() => ages({ onProcessingFailure: given })))
  throwing.send(Users, bad)
  await expect(asked(throwing, "id 7")).rejects.toThrow(`pipeline "app", operator "ages": ${said}`)
  await using undecoded = await TestDriver.start(asking(() => ages({ onDeserializationFailure: given })))
  undecoded.send(Raw, { key: "7", value: Buffer.from("{") })
  await expect(asked(undecoded, "id 7")).rejects.toThrow(`pipeline "app", operator "ages": ${said}`)
  const Counts = S.topic(Users.name, { key: string, value: json<number>() })
  const counts = () => S.globalTable(Counts, { onDeserializationFailure: given })
  await using table = await TestDriver.start(asking(counts))
  table.send(Raw, { key: "7", value: Buffer.from("{") })
  await expect(asked(table, "7")).rejects.toThrow(said)
})

test("P7: rows are put and deleted while the function runs, and not later", async () => {
  let kept: S.KeyValueState<string, number> | undefined
  const leaking = () =>
    S.globalStore("leaking", Users, { key: string, value: json<number>() }, (_, rows) => {
      rows.put("n", 1)
      kept = rows
    })
  await using driver = await TestDriver.start(asking(leaking))
  driver.send(Users, { key: "1", value: { name: "ann", age: 30 } })
  expect(await asked(driver, "n")).toEqual(["n: 1"])
  const said = /global store "leaking": rows are put and deleted by its function until that returns/
  for (const late of [() => kept!.put("n", 2), () => kept!.put("n", 2, 5), () => kept!.delete("n")])
    expect(late).toThrow(said)
  driver.send(Users, { key: "2", value: { name: "bob", age: 30 } })
  expect(await asked(driver, "n")).toEqual(["n: 1"])
})

test("F1: bytes that do not decode end the run, or are passed over", async () => {
  await using failing = await TestDriver.start(asking(() => ages({ onProcessingFailure: "skip" })))
  failing.send(Raw, { key: "1", value: Buffer.from("{") })
  await expect(asked(failing, "id 1")).rejects.toThrow(/operator "ages", record users-0@0: json: not JSON/)
  await using skipping = await TestDriver.start(asking(ages, { onDeserializationFailure: "skip" }))
  skipping.send(Raw, { key: "1", value: Buffer.from("{") })
  skipping.send(Users, { key: "2", value: { name: "bob", age: 30 } })
  expect(await asked(skipping, "id 1", "of 30")).toEqual(["id 1: none", "of 30: 1"])
})

test("P7: a function that answers a promise is refused, whatever handlers say", async () => {
  const late = () => S.globalStore("late", Users, { key: string, value: json<number>() }, async () => {})
  await using driver = await TestDriver.start(asking(late, { onProcessingFailure: "skip" }))
  driver.send(Users, { key: "1", value: { name: "ann", age: 30 } })
  await expect(asked(driver, "1")).rejects.toThrow(/global store "late": its function must be synchronous/)
})

test("P7: a topic is followed once", () => {
  const twice = () =>
    S.pipeline("app", () =>
      S.stream(Asks).pipe(
        S.joinGlobalTable(
          ages(),
          (ask) => ask,
          (ask) => ask,
        ),
        S.joinGlobalTable(
          S.globalTable(Users),
          (ask) => ask,
          (ask) => ask,
        ),
        S.to(Out),
      ),
    )
  expect(twice).toThrow(/topic "users" is followed by "ages" and "global-table-\d+", and can be by one/)
})

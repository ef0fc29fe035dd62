/**
 * Repartitioning: when it happens, what it is called, and how time comes through it.
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<{ to: string; at?: number }>() })
const Out = S.topic("out", { key: string, value: json<any>() })

const counted = (...before: ReadonlyArray<(s: any) => any>) =>
  S.pipeline("app", () =>
    before
      .reduce((flow, operator) => operator(flow), S.stream(In) as S.Stream<string, any>)
      .pipe(
        S.count("n"),
        S.toStream(),
        S.map((n) => n),
        S.to(Out as S.Topic<any, any>),
      ),
  )

test.each<readonly [string, ReadonlyArray<(s: any) => any>, boolean]>([
  ["nothing", [], false],
  ["filter and map", [S.filter(() => true), S.map((v) => v)], false],
  ["keyBy", [S.keyBy((v: any) => v.to)], true],
  ["mapRecord", [S.mapRecord((r) => r)], true],
  ["keyBy, then map", [S.keyBy((v: any) => v.to), S.map((v) => v)], true],
])("A1 D4 K4: %s before an operator that depends on the key", async (_, before, isRepartitioned) => {
  await using driver = await TestDriver.start(counted(...before))
  expect([...driver.cluster.topics].includes("app-n-repartition")).toBe(isRepartitioned)
})

test("A1: keys are brought together across partitions, and null keys are dropped", async () => {
  await using driver = await TestDriver.start(counted(S.keyBy((v: any) => v.to)), { partitions: 4 })
  for (let id = 0; id < 12; id++)
    driver.send(In, { key: `k${id}`, value: { to: id % 2 ? "odd" : "even" }, timestamp: id })
  driver.send(In, { key: "k", value: { to: null as never }, timestamp: 20 })
  await driver.run()
  expect(
    driver
      .rows("n")
      .map(({ key, value }) => [key, value])
      .sort(),
  ).toEqual([
    ["even", 6],
    ["odd", 6],
  ])
  expect(driver.dropped["null-key"]).toBe(1)
})

test("T4: design rule 5: the records of a lagging upstream task are not late", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.keyBy((value) => value.to),
      S.window(S.tumbling(10)),
      S.count("n"),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}`, value })),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline, { partitions: { in: 2 } })
  // Partition 0 is a thousand windows ahead when partition 1 begins.
  driver.send(In, { key: "a", value: { to: "x" }, timestamp: 10_000, partition: 0 })
  await driver.run()
  driver.send(In, { key: "b", value: { to: "x" }, timestamp: 5, partition: 1 })
  driver.send(In, { key: "b", value: { to: "x" }, timestamp: 15, partition: 1 })
  driver.send(In, { key: "b", value: { to: "x" }, timestamp: 7, partition: 1 })
  await driver.run()
  // 7 is late by its own task's time alone, which is at 15; window 0 is forgotten since both tasks are past it.
  expect(driver.dropped.late).toBe(1)
  expect(driver.read(Out).map(({ key, value }) => [key, value])).toEqual([
    ["x@10000", 1],
    ["x@0", 1],
    ["x@10", 1],
  ])
  expect(driver.rows("n").map(({ start, value }) => [start, value])).toEqual([
    [10, 1],
    [10_000, 1],
  ])
})

test("state is forgotten once every upstream task is past it, told by marks where no record came", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.keyBy((value) => value.to),
      S.window(S.tumbling(10)),
      S.count("n"),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: key.key, value })),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline, { partitions: { in: 2 } })
  const far = 100_000
  driver.send(In, { key: "a", value: { to: "x" }, timestamp: 5, partition: 0 })
  driver.send(In, { key: "b", value: { to: "y" }, timestamp: 5, partition: 1 })
  await driver.run()
  driver.send(In, { key: "a", value: { to: "x" }, timestamp: far, partition: 0 })
  await driver.run()
  expect(driver.rows("n").length).toBeGreaterThan(1)
  driver.send(In, { key: "b", value: { to: "x" }, timestamp: far, partition: 1 })
  await driver.run()
  // Records to x alone: the partition of y learns of the time through marks, and its next commit forgets.
  driver.send(In, { key: "b", value: { to: "y" }, timestamp: far, partition: 1 })
  await driver.run()
  expect(driver.rows("n").every(({ start }) => start === far)).toBe(true)
})

test("T11: design rule 1: the time of a repartition survives a crash", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.keyBy((value) => value.to),
      S.window(S.tumbling(10)),
      S.count("n"),
      S.toStream(),
      S.mapRecord(({ key, value }) => ({ key: key.key, value })),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  driver.send(In, { key: "a", value: { to: "x" }, timestamp: 50 })
  await driver.run()
  await driver.crash()
  driver.send(In, { key: "a", value: { to: "y" }, timestamp: 5 })
  await driver.run()
  expect(driver.dropped.late).toBe(1)
})

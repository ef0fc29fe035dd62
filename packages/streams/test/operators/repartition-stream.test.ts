/**
 * A repartition that the user asks for (D7).
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

test("D7: a topic of its own, with the partitions and the partitioner given; null keys are dropped and counted", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.repartition("spread", { partitions: 3, partitioner: (_, value) => (value === null ? undefined : value % 3) }),
      S.map((value, { topic, partition }) => [value, topic, partition]),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  expect(driver.topology.subtopologies.length).toBe(2)
  for (const value of [1, 2, 3, 4]) driver.send(In, { key: "a", value, timestamp: value })
  driver.send(In, { key: null as never, value: 5, timestamp: 5 })
  await driver.run()
  const topic = "app-spread-repartition"
  expect(driver.cluster.logs(topic).length).toBe(3)
  const rows = driver.read(Out).map(({ value }) => value)
  expect(rows.sort((left, right) => left[0] - right[0])).toEqual([
    [1, topic, 1],
    [2, topic, 2],
    [3, topic, 0],
    [4, topic, 1],
  ])
  expect(driver.dropped["null-key"]).toBe(1)
})

test("D7: what follows does not repartition again, and counts stay right on other partitions", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.keyBy((value) => `k${value % 2}`),
      S.repartition("wide", { partitions: 5 }),
      S.count("counts"),
      S.toStream(),
      S.to(Out),
    ),
  )
  await using driver = await TestDriver.start(pipeline, { partitions: { in: 2 } })
  for (const value of [1, 2, 3, 4, 5]) driver.send(In, { key: `${value}`, value, timestamp: value })
  await driver.run()
  expect([...driver.cluster.topics].filter((topic) => topic.endsWith("-repartition"))).toEqual(["app-wide-repartition"])
  const rows = driver.rows("counts").map(({ key, value }) => [key, value])
  expect(rows.sort()).toEqual([
    ["k0", 2],
    ["k1", 3],
  ])
})

test("O9: what several operators need by the same key is written once, where the pipeline names it", async () => {
  const pipeline = S.pipeline("app", () => {
    const byParity = S.stream(In).pipe(
      S.keyBy((value) => `k${value % 2}`),
      S.repartition("by-parity"),
    )
    return [
      byParity.pipe(S.count("counts")),
      byParity.pipe(S.aggregate("sums", { init: () => 0, add: (sum, value) => sum + value })),
    ]
  })
  await using driver = await TestDriver.start(pipeline, { partitions: { in: 2 } })
  for (const value of [1, 2, 3, 4, 5]) driver.send(In, { key: `${value}`, value, timestamp: value })
  await driver.run()
  const topic = "app-by-parity-repartition"
  expect([...driver.cluster.topics].filter((name) => name.endsWith("-repartition"))).toEqual([topic])
  expect(driver.topology.subtopologies.map(({ sources }) => sources.map((source) => source.topic))).toEqual([
    ["in"],
    [topic],
  ])
  const rows = (store: string) => driver.rows(store).map(({ key, value }) => `${key} ${value}`)
  expect([rows("counts").sort(), rows("sums").sort()]).toEqual([
    ["k0 2", "k1 3"],
    ["k0 6", "k1 9"],
  ])
})

test("D7: the number of partitions must be one", () => {
  expect(() => S.repartition("spread", { partitions: 0 })).toThrow("0 partitions must be a whole number")
})

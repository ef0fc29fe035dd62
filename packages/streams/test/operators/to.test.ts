/**
 * Where records that are written go: the partitioner's choices (D8, KIP-873).
 */
import { partitionForKey } from "@millrace/client/producer/murmur2"
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<number>() })

async function written(partitioner: S.ToOptions<string, number>["partitioner"], ...values: (number | null)[]) {
  const pipeline = S.pipeline("app", () => S.stream(In).pipe(S.to(Out, partitioner && { partitioner })))
  await using driver = await TestDriver.start(pipeline, { partitions: { out: 4 } })
  for (const [at, value] of values.entries()) driver.send(In, { key: `k${at}`, value, timestamp: at })
  await driver.run()
  const rows = driver.read(Out).map(({ key, value, partition }) => [key, value, partition])
  return { rows, dropped: driver.dropped.skipped }
}

const byKey = (key: string) => partitionForKey(string.encode(key), 4)

test("D8: without a partitioner, and where it answers undefined, the key's bytes decide", async () => {
  const expected = [
    ["k0", 7, byKey("k0")],
    ["k1", 8, byKey("k1")],
  ].sort((left, right) => Number(left[2]) - Number(right[2]))
  expect((await written(undefined, 7, 8)).rows).toEqual(expected)
  expect((await written(() => undefined, 7, 8)).rows).toEqual(expected)
})

test("D8: one partition, many or none", async () => {
  const choose = (_: string, value: number | null, partitions: number) =>
    value === null ? partitions - 1 : value < 10 ? value : value === 10 ? [] : [0, 2]
  expect(await written(choose, 1, 10, 11, null)).toEqual({
    rows: [
      ["k2", 11, 0],
      ["k0", 1, 1],
      ["k2", 11, 2],
      ["k3", null, 3],
    ],
    dropped: 1,
  })
})

test("D8: a partition that is not there fails the record by name", async () => {
  await expect(written(() => 4, 1)).rejects.toThrow(
    'operator "to-1", record in-0@0: the partitioner chose partition 4, and there are 4',
  )
})

test("D8: the topic is chosen for each record, tombstones included", async () => {
  const Even = S.topic("even", { key: string, value: json<number>() })
  const Odd = S.topic("odd", { key: string, value: json<number>() })
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(
      S.to((key, value) => (value === null ? key : value % 2 === 0 ? "even" : "odd"), {
        key: string,
        value: json<number>(),
      }),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  for (const topic of ["even", "odd"]) driver.cluster.createTopic(topic, 1)
  for (const [at, value] of [1, 2, null, 3].entries()) driver.send(In, { key: "odd", value, timestamp: at })
  await driver.run()
  const read = (topic: S.Topic<string, number>) => driver.read(topic).map(({ value, timestamp }) => [value, timestamp])
  expect([read(Even), read(Odd)]).toEqual([
    [[2, 1]],
    [
      [1, 0],
      [null, 2],
      [3, 3],
    ],
  ])
})

test("D8: a name that is none fails the record, and a chosen topic needs serdes", async () => {
  const pipeline = S.pipeline("app", () =>
    S.stream(In).pipe(S.to(() => "no name", { key: string, value: json<number>() })),
  )
  await using driver = await TestDriver.start(pipeline)
  driver.send(In, { key: "k", value: 1, timestamp: 0 })
  await expect(driver.run()).rejects.toThrow('operator "to-1", record in-0@0: topic name "no name"')
  expect(() => S.to(() => "out", {} as never)).toThrow("a topic that is chosen needs key and value")
})

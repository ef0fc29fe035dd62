/**
 * Sources by pattern (D1): which topics they read, and what becomes of topics that match later.
 */
import { nodeHost } from "@millrace/host/node"
import { json, string } from "@millrace/schema"
import { embeddedBroker, TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Orders = S.topicPattern(/orders-.*/, { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<number>() })
const East = S.topic("orders-east", { key: string, value: json<number>() })
const West = S.topic("orders-west", { key: string, value: json<number>() })

const pipeline = () => S.pipeline("app", () => S.stream(Orders).pipe(S.count("counts"), S.toStream(), S.to(Out)))

test("D1: all topics that match are one stream, in the order of time", async () => {
  const partitions = { "orders-west": 1, "orders-east": 1, "old-orders-x": 1 }
  await using driver = await TestDriver.start(pipeline(), { partitions })
  driver.send(East, { key: "a", value: 1, timestamp: 10 }, { key: "b", value: 1, timestamp: 30 })
  driver.send(West, { key: "a", value: 1, timestamp: 20 })
  await driver.run()
  expect(driver.topology.subtopologies[0]!.sources.map(({ topic }) => topic)).toEqual(["orders-east", "orders-west"])
  expect(driver.read(Out).map(({ key, value }) => [key, value])).toEqual([
    ["a", 1],
    ["a", 2],
    ["b", 1],
  ])
})

test("D1: a pattern is drawn as one, and nothing that matches is an error", async () => {
  expect(S.describeTopology(S.makeTopology(pipeline().plan, "app"), "text")).toContain("orders-.*")
  await expect(TestDriver.start(pipeline(), { partitions: { other: 1 } })).rejects.toThrow("no topic matches")
})

test("D1: on a broker, and a topic that matches later ends the run by name", async () => {
  await using broker = await embeddedBroker()
  const client = broker.client()
  const create = (...names: string[]) => client.admin().createTopics(names.map((name) => ({ name, partitions: 2 })))
  await create("orders-east", "orders-west", "out")
  const handle = await S.run(pipeline(), { host: nodeHost, brokers: broker.brokers, metadataMaxAgeMs: 200 })
  expect(handle.topology.subtopologies[0]!.sources.map(({ topic }) => topic)).toEqual(["orders-east", "orders-west"])
  await create("unrelated", "orders-north")
  await expect(handle.done).rejects.toThrow(
    'pipeline "app": topic "orders-north" matches a pattern and was created since the pipeline was started',
  )
  await using again = await S.run(pipeline(), { host: nodeHost, brokers: broker.brokers })
  expect(again.topology.subtopologies[0]!.sources.length).toBe(3)
})

/**
 * The wide pipeline under TestDriver against its independent computation, and that the check notices what is wrong.
 */
import { partitionForKey } from "@millrace/client/producer/murmur2"
import { TestDriver } from "@millrace/testing"
import * as S from "@millrace/streams"
import { json, string } from "@millrace/schema"
import { beforeAll, expect, test } from "vitest"
import { SeededRandom } from "../src/random.ts"
import { checkWide, type WideResult } from "../src/wide/check.ts"
import { wideExpected, type WideExpected } from "../src/wide/expected.ts"
import { type Click, drawClick, drawEvent, lastEvent, partitionOf, type WideEvent } from "../src/wide/input.ts"
import { type InputName, type ResultName, RESULTS, topicName, widePipeline } from "../src/wide/pipeline.ts"

const APPLICATION = "wide"
const PARTITIONS = 2
const EVENTS = 400
const START_MS = 1_700_000_000_000

type Results = Record<ResultName, WideResult[]>
let results: Results
let expected: WideExpected

beforeAll(async () => {
  const random = new SeededRandom("wide")
  await using driver = await TestDriver.start(widePipeline(APPLICATION), { partitions: PARTITIONS })
  driver.cluster.createTopic(topicName(APPLICATION, "letters"), PARTITIONS)
  const topic = (name: InputName | ResultName) =>
    S.topic(topicName(APPLICATION, name), { key: string, value: json<any>() })
  const events: WideEvent[][] = []
  const clicks: Click[][] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const all = Array.from({ length: 20 }, (_, index) => `k${index}`)
    const keys = all.filter((key) => partitionForKey(Buffer.from(key), PARTITIONS) === partition).slice(0, 4)
    const source = { partition, partitions: PARTITIONS, keys, startMs: START_MS }
    const numbers = Array.from({ length: EVENTS }, (_, number) => number)
    events.push([...numbers.map((number) => drawEvent(random, source, number)), lastEvent(source, EVENTS)])
    clicks.push(numbers.filter((number) => number % 3 === 0).map((number) => drawClick(random, source, number)))
    for (const key of keys) driver.send(topic("rows"), { key, value: 1, timestamp: START_MS })
  }
  await driver.run()
  for (const [name, lists] of [
    ["events", events],
    ["clicks", clicks],
  ] as const) {
    for (const one of lists.flat()) driver.send(topic(name), { key: one.key, value: one, timestamp: one.at })
  }
  await driver.run()
  expected = wideExpected(events, clicks)
  results = Object.fromEntries(
    RESULTS.map((name) => [
      name,
      driver.read(topic(name)).map(({ key, value, timestamp }) => ({ key, value: JSON.stringify(value), timestamp })),
    ]),
  ) as Results
})

const check = (changed: Partial<Results> = {}) => {
  const { lost, duplicated, wrong } = checkWide({ ...results, ...changed }, expected, (id) =>
    partitionOf(id, PARTITIONS),
  )
  return { lost, duplicated, wrong }
}

test("the pipeline puts out what a plain computation asks for, on every topic", () => {
  expect(Object.values(expected.totals).every((total) => total > 5)).toBe(true)
  expect(expected.late.windows).toBeGreaterThan(0)
  expect(check()).toEqual({ lost: 0, duplicated: 0, wrong: 0 })
})

test.each(RESULTS)("a result of %s that is missing, twice or at another place is noticed", (name) => {
  const list = results[name]
  const middle = Math.floor(list.length / 2)
  expect(check({ [name]: list.toSpliced(middle, 1) }).lost).toBe(1)
  expect(check({ [name]: list.toSpliced(middle, 0, list[middle]!) }).duplicated).toBe(1)
  const unknown = { ...list[middle]!, key: "nobody" }
  expect(check({ [name]: list.with(middle, unknown) }).wrong).toBeGreaterThan(0)
})

test.each(["joined", "letters", "sessions", "counts", "windows"] as const)(
  "order within a key of %s is noticed",
  (name) => {
    const list = results[name]
    const at = list.findIndex(
      ({ key }, index) => list.findIndex((other, later) => later > index && other.key === key) > 0,
    )
    const later = list.findIndex(({ key }, index) => index > at && key === list[at]!.key)
    expect(check({ [name]: list.with(at, list[later]!).with(later, list[at]!) }).wrong).toBeGreaterThan(0)
  },
)

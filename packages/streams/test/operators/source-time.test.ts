/**
 * Event time from the value, and records without one (T1, T2, T6, T11).
 */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

interface Event {
  readonly id: number
  readonly at?: number
}

const In = S.topic("in", { key: string, value: json<Event>() })
const Second = S.topic("second", { key: string, value: json<Event>() })
const Out = S.topic("out", { key: string, value: json<Event>() })

const started = (options: S.SourceOptions<string, Event>, startTimeMs = 0) =>
  TestDriver.start(
    S.pipeline("app", () => S.stream(In, options).pipe(S.to(Out))),
    { startTimeMs },
  )

const send = (driver: TestDriver, ...events: readonly (Event | null)[]) => {
  for (const value of events) driver.send(In, { key: "k", value, timestamp: 1_000 })
}

const times = (driver: TestDriver) => driver.read(Out).map(({ value, timestamp }) => [value?.id ?? null, timestamp])

const at = (event: Event) => event.at ?? -1

test("T1: the time comes from the value; a tombstone keeps its own", async () => {
  await using driver = await started({ timestamp: at })
  send(driver, { id: 1, at: 50 }, { id: 2, at: 7.9 }, null)
  await driver.run()
  expect(times(driver)).toEqual([
    [1, 50],
    [2, 7],
    [null, 1_000],
  ])
})

test("T1 T11: the extractor is given the greatest time of the partition so far, across commits, aborts and restarts", async () => {
  const seen: number[] = []
  await using driver = await started({
    timestamp(event, _, partitionTime) {
      seen.push(partitionTime)
      return event.at!
    },
  })
  send(driver, { id: 1, at: 50 }, { id: 2, at: 7 }, { id: 3, at: 60 })
  await driver.run()
  send(driver, { id: 4, at: 90 })
  driver.process()
  await driver.abort()
  await driver.crash({ loseEngines: true })
  send(driver, { id: 5, at: 1 })
  await driver.run()
  expect(seen).toEqual([-1, 50, 50, 60, 60, 90])
})

test.each([
  ["fail", undefined],
  [
    "skip",
    [
      [1, 50],
      [4, 60],
    ],
  ],
  [
    "partition-time",
    [
      [1, 50],
      [2, 50],
      [3, 50],
      [4, 60],
    ],
  ],
  [
    "wall-clock",
    [
      [1, 50],
      [2, 700],
      [3, 700],
      [4, 60],
    ],
  ],
] as const)("T2: %s", async (onInvalidTimestamp, expected) => {
  await using driver = await started({ timestamp: at, onInvalidTimestamp }, 700)
  send(driver, { id: 1, at: 50 }, { id: 2 }, { id: 3, at: -5 }, { id: 4, at: 60 })
  if (expected === undefined) {
    await expect(driver.run()).rejects.toThrow('operator "source-0", record in-0@1: its timestamp is -1')
    return
  }
  await driver.run()
  expect(times(driver)).toEqual(expected)
  expect(driver.dropped.skipped).toBe(onInvalidTimestamp === "skip" ? 2 : 0)
})

test("T2: partition time before there is one fails", async () => {
  await using driver = await started({ timestamp: at, onInvalidTimestamp: "partition-time" })
  send(driver, { id: 1 })
  await expect(driver.run()).rejects.toThrow("and its partition has none yet")
})

test("T2: the wall clock is the transaction's, not the record's", async () => {
  await using driver = await started({ timestamp: "wall-clock" }, 500)
  send(driver, { id: 1 })
  driver.process()
  driver.clock.moveTo(650)
  send(driver, { id: 2 })
  driver.process()
  await driver.commit()
  send(driver, { id: 3 })
  await driver.run()
  expect(times(driver)).toEqual([
    [1, 500],
    [2, 500],
    [3, 650],
  ])
})

test("T6: the record with the smallest extracted time is next, whatever the records' own", async () => {
  const pipeline = S.pipeline("app", () => S.stream([In, Second], { timestamp: at }).pipe(S.to(Out)))
  await using driver = await TestDriver.start(pipeline)
  const [late, early] = [9_000, 1]
  driver.send(
    In,
    { key: "k", value: { id: 1, at: 10 }, timestamp: late },
    { key: "k", value: { id: 4, at: 40 }, timestamp: late },
  )
  driver.send(
    Second,
    { key: "k", value: { id: 2, at: 20 }, timestamp: early },
    { key: "k", value: { id: 3, at: 30 }, timestamp: early },
  )
  await driver.run()
  expect(times(driver).map(([id]) => id)).toEqual([1, 2, 3, 4])
})

test("T3: what fails to decode is passed over in its turn, and its time holds nobody up", async () => {
  await using driver = await started({ timestamp: at, onDeserializationFailure: "skip" })
  driver.cluster.log({ topic: "in", partition: 0 }).append(5, null, Buffer.from("{"), [])
  send(driver, { id: 1, at: 3 })
  await driver.run()
  expect([times(driver), driver.dropped.skipped]).toEqual([[[1, 3]], 1])
})

test("a topic read twice with different options is refused", () => {
  const twice = () => [S.stream(In, { timestamp: at }).pipe(S.to(Out)), S.stream(In).pipe(S.forEach(() => {}))]
  expect(() => S.pipeline("app", twice)).toThrow('operator "in": is read twice with different options')
})

/**
 * Streams joined with global tables: rows derived from Kafka Streams' stream-globalKTable join.
 */
import { bytes, json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const Orders = S.topic("orders", { key: string, value: json<{ country: string | null }>() })
const Countries = S.topic("countries", { key: string, value: string })
const Out = S.topic("out", { key: string, value: string })

const joins = { joinGlobalTable: S.joinGlobalTable, leftJoinGlobalTable: S.leftJoinGlobalTable }

const joined = (kind: keyof typeof joins) =>
  S.pipeline(kind, () =>
    S.stream(Orders).pipe(
      joins[kind](
        S.globalTable(Countries),
        (order: { country: string | null }) => order.country,
        (order: { country: string | null }, row: string | undefined, record: S.Rec<string, unknown>) =>
          `${record.key}: ${order.country} ${row}`,
      ),
      S.to(Out),
    ),
  )

test.each([
  ["joinGlobalTable", ["a: de Germany"], { "null-key": 1, tombstone: 1 }],
  [
    "leftJoinGlobalTable",
    ["a: de Germany", "b: fr undefined", "c: null undefined", "e: xx undefined"],
    { "null-key": 0, tombstone: 1 },
  ],
] as const)("J11: %s: the row of another key; none, a null key, a deleted row", async (kind, expected, dropped) => {
  const driver = await TestDriver.start(joined(kind), { partitions: { countries: 3, orders: 1 } })
  driver.send(
    Countries,
    { key: "de", value: "Germany", timestamp: 99 },
    { key: "fr", value: "France", timestamp: 1 },
    { key: "fr", value: null, timestamp: 2 },
  )
  driver.send(
    Orders,
    { key: "a", value: { country: "de" }, timestamp: 5 },
    { key: "b", value: { country: "fr" }, timestamp: 6 },
    { key: "c", value: { country: null }, timestamp: 7 },
    { key: "d", value: null, timestamp: 8 },
    { key: "e", value: { country: "xx" }, timestamp: 9 },
  )
  await driver.run()
  expect(driver.read(Out).map(({ value }) => value)).toEqual(expected)
  // The result has the stream's time, not the row's.
  expect(driver.read(Out)[0]!.timestamp).toBe(5)
  expect(driver.dropped).toMatchObject(dropped)
})

const Raw = S.topic(Countries.name, { key: string, value: bytes })
const Products = S.topic(Countries.name, { key: string, value: json<string>() })

const described = (pipeline: S.FailureHandlers, table: S.GlobalTableOptions = {}) =>
  TestDriver.start(
    S.pipeline(
      "app",
      () =>
        S.stream(Orders).pipe(
          S.joinGlobalTable(
            S.globalTable(Products, table),
            (order) => order.country,
            (_, name) => name,
          ),
          S.to(Out),
        ),
      pipeline,
    ),
  )

async function poisoned(driver: TestDriver) {
  driver.send(Products, { key: "de", value: "Germany", timestamp: 0 })
  driver.send(Raw, { key: "de", value: Buffer.from("{"), timestamp: 1 })
  driver.send(Orders, { key: "a", value: { country: "de" }, timestamp: 5 })
  await driver.run()
  return driver.read(Out).map(({ value }) => value)
}

test("F1: a record of a global table that does not decode is passed over, as the pipeline or the table says", async () => {
  await using skipping = await described({ onDeserializationFailure: "skip" })
  expect(await poisoned(skipping)).toEqual(["Germany"])
  const failures: string[] = []
  const tell: S.FailureHandler = ({ error }) => {
    failures.push(error.message)
    return { deadLetter: "bad" }
  }
  await using told = await described({}, { onDeserializationFailure: tell })
  expect(await poisoned(told)).toEqual(["Germany"])
  expect(failures[0]).toMatch(/^pipeline "app", operator "global-table-\d+", record countries-0@1: json: not JSON/)
})

test("F1: otherwise it fails the record that asks for the row, and the table is named", async () => {
  await using failing = await described({})
  const reason = /record orders-0@0: the row that it asks of global table "countries" does not decode: json: not JSON/
  await expect(poisoned(failing)).rejects.toThrow(reason)
  await using own = await described({ onDeserializationFailure: "skip" }, { onDeserializationFailure: "fail" })
  await expect(poisoned(own)).rejects.toThrow(reason)
})

test("J11: a stream whose key changed is not repartitioned, and two joins read one table", async () => {
  const pipeline = S.pipeline("twice", () => {
    const countries = S.globalTable(Countries)
    return S.stream(Orders).pipe(
      S.keyBy((order) => order.country ?? "none"),
      S.joinGlobalTable(
        countries,
        (order) => order.country,
        (order, name) => ({ ...order, name }),
      ),
      S.joinGlobalTable(
        countries,
        (order) => order.name,
        (order, again) => `${order.name} ${again}`,
      ),
      S.to(Out),
    )
  })
  const driver = await TestDriver.start(pipeline, {})
  expect(driver.topology.subtopologies).toHaveLength(1)
  driver.send(Countries, { key: "de", value: "Germany", timestamp: 0 }, { key: "Germany", value: "DE", timestamp: 0 })
  driver.send(Orders, { key: "a", value: { country: "de" }, timestamp: 5 })
  await driver.run()
  expect(driver.read(Out).map(({ key, value }) => [key, value])).toEqual([["de", "Germany DE"]])
})

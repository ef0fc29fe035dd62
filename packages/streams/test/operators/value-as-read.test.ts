/** Rows that are what their records brought are written with the bytes that these had. */
import { json, type Serde, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

interface Item {
  readonly name: string
  total: number
}

/** JSON that tells how often it was written. */
function counted(): Serde<Item> & { writes: number } {
  const serde = json<Item>()
  const counting: Serde<Item> & { writes: number } = {
    ...serde,
    writes: 0,
    encode(value) {
      counting.writes++
      return serde.encode(value)
    },
  }
  return counting
}

async function run(build: (items: S.Topic<string, Item>) => S.Table<string, Item>) {
  const value = counted()
  const Items = S.topic("items", { key: string, value })
  const pipeline = S.pipeline("app", () =>
    build(Items).pipe(
      S.toStream(),
      S.forEach(() => {}),
    ),
  )
  await using driver = await TestDriver.start(pipeline)
  for (const [at, total] of [1, 2, 4].entries())
    driver.send(Items, { key: at === 2 ? "b" : "a", value: { name: "x", total }, timestamp: at })
  const sent = value.writes
  await driver.run()
  const writes = value.writes - sent
  const rows = () => driver.stores.flatMap((store) => driver.rows(store)).map(({ key, value }) => [key, value])
  const before = rows()
  await driver.crash({ loseEngines: true })
  expect(rows()).toEqual(before)
  return { rows: before.map(([key, { total }]) => `${key}${total}`).sort(), writes }
}

test("a table of a topic writes no value", async () => {
  expect(await run((items) => S.table(items))).toEqual({ rows: ["a2", "b4"], writes: 0 })
})

test("so does a stream that becomes a table, and a reduce to the last", async () => {
  expect(await run((items) => S.stream(items).pipe(S.toTable("rows")))).toEqual({ rows: ["a2", "b4"], writes: 0 })
  const last = S.reduce<string, Item, "stream", never>("rows", (_, item) => item)
  expect(await run((items) => S.stream(items).pipe(last))).toEqual({ rows: ["a2", "b4"], writes: 0 })
})

test("what a callback changed, or may have changed, is written as it is", async () => {
  const sum = S.reduce<string, Item, "stream", never>("rows", (all, item) => {
    all.total += item.total
    return all
  })
  expect(await run((items) => S.stream(items).pipe(sum))).toMatchObject({ rows: ["a3", "b4"] })
  const changed = S.map<string, Item, Item, never>((item) => {
    item.total++
    return item
  })
  const table = await run((items) => S.stream(items).pipe(changed, S.toTable("rows", { value: items.value })))
  expect(table).toMatchObject({ rows: ["a3", "b5"] })
})

import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { bufferCount, concat, concatMap, from, ignoreElements, map, NEVER, of, reduce, take, toArray } from "rxjs"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

const start = (operator: (s: S.Stream<string, number>) => S.Stream<string, any>) =>
  TestDriver.start(S.pipeline("app", () => operator(S.stream(In)).pipe(S.to(Out))))

const send = (driver: TestDriver, ...values: readonly number[]) => {
  for (const value of values) driver.send(In, { key: "k", value, timestamp: value })
}
const values = (driver: TestDriver) => driver.read(Out).map(({ value }) => value)

test("rule 1: a transaction is a subscription: the source completes when it commits", async () => {
  await using driver = await start(
    S.rx((records$) =>
      records$.pipe(
        reduce((_, record) => record),
        map((last) => last.with(last.value * 10)),
      ),
    ),
  )
  send(driver, 1, 2, 3)
  driver.process(2)
  await driver.commit()
  driver.process()
  await driver.commit()
  expect(values(driver)).toEqual([20, 30])
})

test("asynchronous operators complete before the commit, in the order of the records", async () => {
  const late = (record: S.Rec<string, number>) => from(Promise.resolve().then(() => record.with(-record.value)))
  await using driver = await start(
    S.rx((records$) =>
      records$.pipe(
        bufferCount(2),
        concatMap((two) => from(two)),
        concatMap(late),
      ),
    ),
  )
  send(driver, 1, 2, 3)
  await driver.run()
  expect(values(driver)).toEqual([-1, -2, -3])
})

test("results keep the place of the record they were derived from, even when emitted later", async () => {
  const reversed = S.rx<string, number, string, number, never>((records$) =>
    records$.pipe(
      toArray(),
      concatMap((all) => from(all.toReversed())),
    ),
  )
  await using driver = await start(reversed)
  send(driver, 1, 2, 3)
  await driver.run()
  expect(values(driver)).toEqual([1, 2, 3])
})

test("withKey changes the key", async () => {
  await using driver = await start(
    S.rx((records$) => records$.pipe(map((record) => record.withKey(`k${record.value}`)))),
  )
  send(driver, 1)
  await driver.run()
  expect(driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([["k1", 1, 1]])
})

test("rule 12: a late subscriber sees the whole transaction", async () => {
  await using driver = await start(S.rx((records$) => concat(records$.pipe(ignoreElements()), records$)))
  send(driver, 1, 2)
  await driver.run()
  expect(values(driver)).toEqual([1, 2])
})

test("rule 4: a result that completes early has no more results in this transaction, and starts again in the next", async () => {
  await using driver = await start(S.rx((records$) => records$.pipe(take(1))))
  send(driver, 1, 2, 3, 4)
  driver.process(2)
  await driver.commit()
  driver.process()
  await driver.commit()
  expect(values(driver)).toEqual([1, 3])
})

test("rule 5: what an aborted transaction emitted is gone, and so is what it emits late", async () => {
  const resolvers: Array<() => void> = []
  const held = (record: S.Rec<string, number>) =>
    from(new Promise<S.Rec<string, number>>((resolve) => resolvers.push(() => resolve(record))))
  await using driver = await start(S.rx((records$) => records$.pipe(concatMap(held))))
  send(driver, 1)
  driver.process()
  await driver.abort()
  driver.process()
  for (const resolve of resolvers) resolve()
  await driver.commit()
  expect(values(driver)).toEqual([1])
})

test("rule 12: an error fails the transaction and names the operator", async () => {
  await using driver = await start(
    S.rx((records$) =>
      records$.pipe(
        map((record) => {
          if (record.value === 2) throw new Error("no twos")
          return record
        }),
      ),
    ),
  )
  send(driver, 1, 2)
  await expect(driver.run()).rejects.toThrow('operator "rx-1", record in-0@1: no twos')
})

test("rule 3: a result that is not derived from a record is refused", async () => {
  await using driver = await start(S.rx(() => of({ key: "k", value: 1 } as unknown as S.Rec<string, number>)))
  send(driver, 1)
  await expect(driver.run()).rejects.toThrow(/record\.with/)
})

test("rule 2: a result that never completes holds the commit", async () => {
  await using driver = await start(S.rx(() => NEVER))
  send(driver, 1)
  driver.process()
  const outcome = await Promise.race([driver.commit(), new Promise((resolve) => setImmediate(resolve, "held"))])
  expect(outcome).toBe("held")
  await driver.abort()
})

/** reducePerCommit: what comes out of one transaction and the next, and where among other records. */
import { json, string } from "@millrace/schema"
import { TestDriver } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })
const Out = S.topic("out", { key: string, value: json<any>() })

type Row = readonly [key: string | null, value: any, timestamp: number]
type Operator = (s: S.Stream<string, number>) => S.Stream<string, any>

const sum = (left: number, right: number) => left + right
const last = <V>(_: V, value: V) => value

const start = (operator: Operator) => TestDriver.start(S.pipeline("app", () => operator(S.stream(In)).pipe(S.to(Out))))

function send(driver: TestDriver, rows: readonly Row[]): void {
  for (const [key, value, timestamp] of rows) driver.send(In, { key: key as string, value, timestamp })
}

const read = (driver: TestDriver) => driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])

const CASES: ReadonlyArray<
  readonly [name: string, operator: Operator, transactions: readonly (readonly Row[])[], out: readonly Row[]]
> = [
  [
    "A8: one record of each key and transaction, with the greatest time, in the order of the last records in them",
    S.reducePerCommit(sum),
    [
      [
        ["a", 1, 10],
        ["b", 2, 30],
        ["a", 3, 5],
      ],
      [["a", 4, 7]],
    ],
    [
      ["b", 2, 30],
      ["a", 4, 10],
      ["a", 4, 7],
    ],
  ],
  [
    "A8: the last change of a key alone, as a record cache sends it, and of a deletion what is before and after it",
    (s) => s.pipe(S.toTable("rows"), S.toStream(), S.reducePerCommit(last)),
    [
      [
        ["a", 1, 10],
        ["a", 2, 20],
        ["a", null, 30],
        ["a", 3, 40],
        ["b", 1, 50],
        ["a", 4, 60],
        ["b", null, 70],
      ],
    ],
    [
      ["a", 2, 20],
      ["a", null, 30],
      ["b", 1, 50],
      ["a", 4, 60],
      ["b", null, 70],
    ],
  ],
  [
    "records without a key pass",
    S.reducePerCommit(sum),
    [
      [
        [null, 1, 10],
        ["a", 2, 20],
        [null, 3, 30],
        [null, null, 40],
        ["a", 4, 50],
      ],
    ],
    [
      [null, 1, 10],
      [null, 3, 30],
      [null, null, 40],
      ["a", 6, 50],
    ],
  ],
  [
    "keys that are objects are one when their bytes are",
    (s) =>
      s.pipe(
        S.keyBy((value) => ["n", value % 2] as const),
        S.reducePerCommit(sum),
        S.mapRecord(({ key, value }) => ({ key: key.join(), value })),
      ),
    [
      [
        ["a", 1, 10],
        ["b", 2, 20],
        ["c", 3, 30],
        ["a", 4, 40],
      ],
    ],
    [
      ["n,1", 4, 30],
      ["n,0", 6, 40],
    ],
  ],
  [
    "A8 W7: of each window the last update",
    (s) =>
      s.pipe(
        S.window(S.tumbling(10)),
        S.count("counts"),
        S.toStream(),
        S.reducePerCommit(last),
        S.mapRecord(({ key, value }) => ({ key: `${key.key}@${key.start}`, value })),
      ),
    [
      [
        ["a", 0, 1],
        ["a", 0, 2],
        ["b", 0, 3],
        ["a", 0, 11],
        ["a", 0, 12],
      ],
    ],
    [
      ["a@0", 2, 2],
      ["b@0", 1, 3],
      ["a@10", 2, 12],
    ],
  ],
  [
    "a changed key goes through the repartition topic once for a transaction",
    (s) =>
      s.pipe(
        S.keyBy((value) => (value % 2 === 0 ? "even" : "odd")),
        S.reducePerCommit(sum),
        S.reduce("sums", sum),
        S.toStream(),
      ),
    [
      [
        ["a", 1, 10],
        ["b", 2, 20],
        ["c", 3, 30],
      ],
      [["d", 4, 40]],
    ],
    [
      ["even", 2, 20],
      ["odd", 4, 30],
      ["even", 6, 40],
    ],
  ],
  [
    "results stand among the records of other branches where the last record in them stood",
    (s) =>
      s.pipe(
        S.reducePerCommit(sum),
        S.merge(
          s.pipe(
            S.filter((value) => value !== 5),
            S.map((value) => -value),
          ),
        ),
      ),
    [
      [
        ["a", 1, 10],
        ["b", 2, 20],
        ["a", 3, 30],
        ["c", 5, 40],
        ["b", 5, 50],
      ],
    ],
    [
      ["a", -1, 10],
      ["b", -2, 20],
      ["a", 4, 30],
      ["a", -3, 30],
      ["c", 5, 40],
      ["b", 7, 50],
    ],
  ],
]

test.each(CASES)("%s", async (_, operator, transactions, out) => {
  await using driver = await start(operator)
  for (const rows of transactions) {
    send(driver, rows)
    await driver.run()
  }
  expect(read(driver)).toEqual(out)
})

test.each(CASES)("%s: what an aborted transaction gathered is gone with it", async (_, operator, transactions, out) => {
  await using driver = await start(operator)
  for (const rows of transactions) {
    send(driver, rows)
    driver.process(1)
    await driver.abort()
    driver.process()
    await driver.abort()
    await driver.run()
  }
  expect(read(driver)).toEqual(out)
})

test("a table is read as it was when the last record came", async () => {
  const Rows = S.topic("rows", { key: string, value: json<string>() })
  const build = () =>
    S.stream(In).pipe(
      S.reducePerCommit(sum),
      S.joinTable("rows-join", S.table(Rows), (value, row) => [value, row]),
      S.to(Out),
    )
  await using driver = await TestDriver.start(S.pipeline("app", build))
  for (const [value, timestamp] of [
    ["old", 5],
    ["new", 15],
    ["late", 25],
  ] as const)
    driver.send(Rows, { key: "a", value, timestamp })
  send(driver, [
    ["a", 1, 10],
    ["a", 2, 20],
  ])
  await driver.run()
  expect(read(driver)).toEqual([["a", [3, "new"], 20]])
})

test("headers are those of the last record", async () => {
  await using driver = await start(S.reducePerCommit(sum))
  for (const [at, value] of ["first", "last"].entries())
    driver.send(In, { key: "a", value: at, timestamp: at, headers: [{ key: "h", value: Buffer.from(value) }] })
  await driver.run()
  expect(driver.read(Out).map(({ headers }) => headers.map(({ value }) => String(value)))).toEqual([["last"]])
})

const noTwos = (left: number, right: number) => {
  if (right === 2) throw new Error("no twos")
  return left + right
}
const TWOS: readonly Row[] = [
  ["a", 1, 10],
  ["a", 2, 20],
  ["a", 3, 5],
]

test("a callback that throws fails its record by name", async () => {
  await using driver = await start(S.reducePerCommit(noTwos))
  send(driver, TWOS)
  await expect(driver.run()).rejects.toThrow('operator "reduce-per-commit-1", record in-0@1: no twos')
})

test("a record whose callback threw is skipped alone", async () => {
  await using driver = await start(S.guard("skip", S.reducePerCommit(noTwos)))
  send(driver, TWOS)
  await driver.run()
  expect([read(driver), driver.dropped.skipped]).toEqual([[["a", 4, 10]], 1])
})

test("many keys end the transaction before they are too much", async () => {
  await using driver = await start(S.reducePerCommit(sum))
  const keys = (from: number, to: number): Row[] =>
    Array.from({ length: to - from }, (_, at) => [`k${from + at}`, 1, 0] as const)
  send(driver, keys(0, 9_000))
  driver.process()
  expect(driver.isHeavy).toBe(false)
  send(driver, keys(9_000, 10_001))
  driver.process()
  expect(driver.isHeavy).toBe(true)
  await driver.commit()
  expect([driver.isHeavy, read(driver).length]).toEqual([false, 10_001])
})

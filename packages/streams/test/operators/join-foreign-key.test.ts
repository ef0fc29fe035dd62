/** Foreign-key joins (reference 1.5, J8): orders name a customer. */
import { json, string } from "@millrace/schema"
import { TestDriver, type TestDriverOptions } from "@millrace/testing"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

interface Order {
  readonly customer: string | null
  readonly n: number
}

const Orders = S.topic("orders", { key: string, value: json<Order>() })
const Customers = S.topic("customers", { key: string, value: json<string>() })
const Out = S.topic("out", { key: string, value: json<any>() })

const inner = S.joinForeignKey as typeof S.leftJoinForeignKey
const left = S.leftJoinForeignKey
const BOTH = [
  ["an inner join", inner],
  ["a left join", left],
] as const

const byCustomer = (join: typeof left, options: S.ForeignKeyOptions<string, string> = {}) =>
  S.table(Orders).pipe(
    join(
      "j",
      S.table(Customers),
      (order) => order.customer,
      (order, customer, key) => `${key}${order.n}:${customer ?? "-"}`,
      options,
    ),
  )

const start = (join: typeof left, options: TestDriverOptions = {}) =>
  TestDriver.start(
    S.pipeline("app", () => byCustomer(join).pipe(S.toStream(), S.to(Out))),
    options,
  )

/** An order with its customer and number, or a customer with its name; null deletes. */
type Step = readonly [kind: "order" | "customer", key: string, value: readonly [string | null, number] | string | null]

function send(driver: TestDriver, [kind, key, value]: Step, timestamp: number): void {
  if (kind === "customer") return driver.send(Customers, { key, value: value as string | null, timestamp })
  const order = value as readonly [string | null, number] | null
  driver.send(Orders, { key, value: order && { customer: order[0], n: order[1] }, timestamp })
}

const results = (driver: TestDriver) => driver.read(Out).map(({ key, value, timestamp }) => [key, value, timestamp])

/** Each step is processed to its end before the next: what the inner and the left join answer to it. */
const CASES: ReadonlyArray<
  readonly [
    name: string,
    ...steps: ReadonlyArray<readonly [step: Step, inner: readonly unknown[], left: readonly unknown[]]>,
  ]
> = [
  [
    "the left row first, then the right one, which changes and goes",
    [["order", "o", ["c", 1]], [], ["o1:-"]],
    [["customer", "c", "C"], ["o1:C"], ["o1:C"]],
    [["customer", "c", "D"], ["o1:D"], ["o1:D"]],
    [["customer", "c", null], [null], ["o1:-"]],
    [["customer", "c", null], [], ["o1:-"]],
    [["customer", "c", "E"], ["o1:E"], ["o1:E"]],
  ],
  [
    "the right row first, then left ones, which change and go",
    [["customer", "c", "C"], [], []],
    [["order", "o", ["c", 1]], ["o1:C"], ["o1:C"]],
    [["order", "p", ["c", 2]], ["p2:C"], ["p2:C"]],
    [["order", "o", ["c", 3]], ["o3:C"], ["o3:C"]],
    [["order", "o", null], [null], [null]],
    [["order", "o", null], [], []],
    [["customer", "c", "D"], ["p2:D"], ["p2:D"]],
  ],
  [
    "another foreign key, with a right row and without",
    [["customer", "c", "C"], [], []],
    [["customer", "d", "D"], [], []],
    [["order", "o", ["c", 1]], ["o1:C"], ["o1:C"]],
    [["order", "o", ["d", 1]], ["o1:D"], ["o1:D"]],
    [["customer", "c", "X"], [], []],
    [["order", "o", ["e", 1]], [null], ["o1:-"]],
    [["order", "o", ["f", 2]], [], ["o2:-"]],
    [["customer", "d", "X"], [], []],
    [["customer", "f", "F"], ["o2:F"], ["o2:F"]],
  ],
  [
    "no foreign key, from the first, from then on, and no more",
    [["order", "o", [null, 1]], [], ["o1:-"]],
    [["customer", "c", "C"], [], []],
    [["order", "o", ["c", 2]], ["o2:C"], ["o2:C"]],
    [["order", "o", [null, 3]], [null], ["o3:-"]],
    [["customer", "c", "D"], [], []],
    [["order", "o", [null, 4]], [], ["o4:-"]],
    [["order", "o", ["c", 5]], ["o5:D"], ["o5:D"]],
    [["order", "o", [null, 6]], [null], ["o6:-"]],
    [["order", "o", null], [], [null]],
  ],
  [
    "a foreign key that begins another's",
    [["order", "o", ["ab", 1]], [], ["o1:-"]],
    [["order", "p", ["a", 2]], [], ["p2:-"]],
    [["customer", "a", "A"], ["p2:A"], ["p2:A"]],
    [["customer", "ab", "AB"], ["o1:AB"], ["o1:AB"]],
  ],
]

test.each(CASES.flatMap((one) => BOTH.map(([name, join]) => [one[0], name, join, one] as const)))(
  "J8: %s, %s, on 3 and 5 partitions",
  async (_, __, join, [, ...steps]) => {
    await using driver = await start(join, { partitions: { orders: 3, customers: 5 } })
    const expected: unknown[] = []
    for (const [at, [step, ofInner, ofLeft]] of steps.entries()) {
      send(driver, step, at + 1)
      await driver.run()
      const seen = driver.read(Out).filter(({ timestamp }) => timestamp === at + 1)
      expected.push(...(join === left ? ofLeft : ofInner))
      expect(
        seen.map(({ value }) => value),
        JSON.stringify(step),
      ).toEqual(join === left ? ofLeft : ofInner)
    }
    expect(driver.read(Out)).toHaveLength(expected.length)
  },
)

test("J8: an inner join counts left rows without a foreign key as dropped", async () => {
  for (const [, join] of BOTH) {
    await using driver = await start(join)
    send(driver, ["order", "o", [null, 1]], 1)
    await driver.run()
    expect(driver.dropped["null-key"]).toBe(join === left ? 0 : 1)
  }
})

test("J8: a result has the greater time of both rows, whichever came first", async () => {
  await using driver = await start(inner)
  const sent: ReadonlyArray<readonly [Step, number]> = [
    [["customer", "c", "C"], 20],
    [["order", "o", ["c", 1]], 10],
    [["customer", "c", "D"], 5],
    [["order", "o", ["c", 2]], 30],
    [["customer", "c", null], 25],
  ]
  for (const [step, timestamp] of sent) {
    send(driver, step, timestamp)
    await driver.run()
  }
  expect(results(driver)).toEqual([
    ["o", "o1:C", 20],
    ["o", "o1:D", 10],
    ["o", "o2:D", 30],
    ["o", null, 30],
  ])
})

test.each(BOTH)("J8: an answer to an older row is dropped, %s", async (_, join) => {
  await using driver = await start(join)
  send(driver, ["customer", "c", "C"], 1)
  send(driver, ["customer", "d", "D"], 1)
  await driver.run()
  // Its subscription is on the way, and then its answer is, while the row changes again and again.
  send(driver, ["order", "o", ["c", 1]], 2)
  driver.process()
  await driver.commit()
  send(driver, ["order", "o", ["d", 2]], 3)
  driver.process()
  await driver.commit()
  send(driver, ["order", "o", ["c", 3]], 4)
  await driver.run()
  expect(results(driver)).toEqual([["o", "o3:C", 4]])
  // A change of the right row is on the way to a row that is deleted before it comes.
  send(driver, ["customer", "c", "X"], 5)
  driver.process()
  await driver.commit()
  send(driver, ["order", "o", null], 4)
  await driver.run()
  expect(results(driver)).toEqual([
    ["o", "o3:C", 4],
    ["o", null, 4],
  ])
  expect([driver.rows("j"), driver.rows("j-references"), driver.rows("j-subscriptions")]).toEqual([[], [], []])
})

test("J8: an answer to a row that was deleted is not taken by the one that came after it", async () => {
  await using driver = await start(inner)
  send(driver, ["customer", "c", "C"], 1)
  await driver.run()
  send(driver, ["order", "o", ["c", 1]], 5)
  for (const _hop of ["subscription", "response"]) {
    driver.process()
    await driver.commit()
  }
  // Both are earlier than the answer, and so are taken before it.
  send(driver, ["order", "o", null], 2)
  send(driver, ["order", "o", ["nobody", 2]], 2)
  await driver.run()
  expect(results(driver)).toEqual([])
})

test("J8: subscribers of one transaction and of those before it get a change in one order, each once", async () => {
  await using driver = await start(inner)
  const keys = ["a", "b", "c", "d", "e"]
  for (const key of ["b", "d", "e"]) send(driver, ["order", key, ["c", 1]], 1)
  await driver.run()
  for (const key of ["a", "c", "d"]) send(driver, ["order", key, ["c", 2]], 2)
  send(driver, ["order", "e", ["other", 2]], 2)
  driver.process()
  await driver.commit()
  // The subscriptions above and the row below are of one transaction now.
  send(driver, ["customer", "c", "C"], 3)
  await driver.run()
  send(driver, ["customer", "c", "D"], 4)
  await driver.run()
  const told = results(driver).filter(([, , timestamp]) => timestamp === 4)
  expect(told.map(([key]) => key)).toEqual(keys.slice(0, 4))
  expect(
    driver
      .rows("j")
      .map(({ value }) => value)
      .sort(),
  ).toEqual(["a2:D", "b1:D", "c2:D", "d2:D"])
})

test("J8: rows of one table name rows of the same", async () => {
  interface Employee {
    readonly name: string
    readonly boss: string | null
  }
  const Staff = S.topic("staff", { key: string, value: json<Employee>() })
  const pipeline = S.pipeline("app", () => {
    const staff = S.table(Staff)
    return staff.pipe(
      S.leftJoinForeignKey(
        "bosses",
        staff,
        (one) => one.boss,
        (one, boss) => `${one.name} < ${boss?.name ?? "nobody"}`,
      ),
    )
  })
  await using driver = await TestDriver.start(pipeline, { partitions: 4 })
  const put = (key: string, name: string, boss: string | null) =>
    driver.send(Staff, { key, value: { name, boss }, timestamp: 1 })
  put("1", "ann", null)
  put("2", "bob", "1")
  put("3", "cid", "2")
  await driver.run()
  put("2", "bert", "1")
  await driver.run()
  const rows = () =>
    driver
      .rows("bosses")
      .map(({ value }) => value)
      .sort()
  expect(rows()).toEqual(["ann < nobody", "bert < ann", "cid < bert"])
  driver.send(Staff, { key: "1", value: null, timestamp: 2 })
  await driver.run()
  expect(rows()).toEqual(["bert < nobody", "cid < bert"])
})

test("J8: tables however partitioned: answers find the row that asked, subscriptions the partition that is told", async () => {
  const pipeline = S.pipeline("app", () =>
    byCustomer(inner, { partitioner: (customer, count) => customer.length % count }),
  )
  await using driver = await TestDriver.start(pipeline, { partitions: { orders: 3, customers: 4 } })
  for (const [at, name] of ["a", "bb", "ccc", "dddd"].entries()) {
    driver.send(Customers, { key: name, value: name.toUpperCase(), timestamp: 1, partition: name.length % 4 })
    driver.send(Orders, { key: `o${at}`, value: { customer: name, n: at }, timestamp: 2, partition: at % 3 })
  }
  await driver.run()
  const rows = driver.rows("j").map(({ value }) => value)
  expect(rows.sort()).toEqual(["o00:A", "o11:BB", "o22:CCC", "o33:DDDD"])
})

test("J8: what reads the row before is told what was sent; results are joined, filtered and looked up", async () => {
  const pipeline = S.pipeline("app", () => {
    const joined = byCustomer(inner)
    return [
      joined.pipe(
        S.filterTable((row) => !row.endsWith("C")),
        S.toStream(),
        S.to(Out),
      ),
      S.table(Orders).pipe(
        S.leftJoinTables("again", joined, (order, row) => [order.n, row ?? null], { store: "again" }),
      ),
    ]
  })
  await using driver = await TestDriver.start(pipeline, { partitions: 2 })
  const steps: Step[] = [
    ["order", "o", ["c", 1]],
    ["customer", "c", "A"],
    ["customer", "c", "C"],
    ["order", "o", ["c", 2]],
    ["customer", "c", "B"],
  ]
  for (const [at, step] of steps.entries()) {
    send(driver, step, at)
    await driver.run()
  }
  expect(results(driver)).toEqual([
    ["o", "o1:A", 1],
    ["o", null, 2],
    ["o", "o2:B", 4],
  ])
  expect(driver.rows("again").map(({ value }) => value)).toEqual([[2, "o2:B"]])
})

test("J8 A3: the rows of a join are aggregated, and the aggregate is joined by its own key", async () => {
  const pipeline = S.pipeline("app", () => {
    const perName = byCustomer(inner).pipe(
      S.keyBy((row) => row.split(":")[1]!),
      S.aggregate("sums", {
        init: () => 0,
        add: (sum, row) => sum + Number(row.split(":")[0]!.slice(1)),
        subtract: (sum, row) => sum - Number(row.split(":")[0]!.slice(1)),
      }),
    )
    const shouted = S.table(Customers).pipe(
      S.keyBy((name) => name),
      S.aggregate("names", { init: () => 0, add: (count) => count + 1, subtract: (count) => count - 1 }),
    )
    return perName.pipe(S.joinTables("both", shouted, (sum, count) => [sum, count], { store: "both" }))
  })
  await using driver = await TestDriver.start(pipeline, { partitions: { orders: 3, customers: 2 } })
  const steps: Step[] = [
    ["customer", "c", "C"],
    ["customer", "d", "C"],
    ["order", "o", ["c", 1]],
    ["order", "p", ["c", 2]],
    ["order", "q", ["d", 4]],
    ["customer", "d", "D"],
    ["order", "p", ["d", 8]],
    ["order", "o", null],
  ]
  for (const [at, step] of steps.entries()) {
    send(driver, step, at)
    await driver.run()
  }
  const rows = (store: string) => Object.fromEntries(driver.rows(store).map(({ key, value }) => [key, value]))
  expect(rows("sums")).toEqual({ C: 0, D: 12 })
  expect(rows("both")).toEqual({ C: [0, 1], D: [12, 1] })
})

test("J8: internal topics and stores are named after the operator; topics follow the table that they meet", async () => {
  await using driver = await start(inner, { partitions: { orders: 3, customers: 5 } })
  const counts = new Map([...driver.cluster.topics].map((topic) => [topic, driver.cluster.logs(topic).length]))
  expect(Object.fromEntries([...counts].filter(([topic]) => topic.startsWith("app-")))).toEqual({
    "app-j-subscription-repartition": 5,
    "app-j-response-repartition": 3,
    "app-j-changelog": 3,
    "app-j-references-changelog": 3,
    "app-j-subscriptions-changelog": 5,
    "app-orders-changelog": 3,
    "app-customers-changelog": 5,
  })
})

test("J8: a key of a window is refused; a failing callback is named", async () => {
  const windowed = S.stream(Customers).pipe(S.window(S.tumbling(10)), S.count("counts"))
  expect(() =>
    windowed.pipe(
      S.joinForeignKey(
        "j",
        S.table(Customers),
        () => "c",
        (count, customer) => `${count}${customer}`,
      ),
    ),
  ).toThrow('joinForeignKey "j": a key of a window, { key, start, end }, has no codec: make one with toStream')
  const failing = S.pipeline("app", () =>
    S.table(Orders).pipe(
      S.joinForeignKey(
        "j",
        S.table(Customers),
        (): string => {
          throw new Error("no")
        },
        (order) => order.n,
      ),
    ),
  )
  await using driver = await TestDriver.start(failing)
  send(driver, ["order", "o", ["c", 1]], 1)
  await expect(driver.run()).rejects.toThrow('operator "j-subscribe", record orders-0@0: no')
})

/**
 * What the runtime does against a broker, whichever it is: run.test.ts runs it on ours, e2e/run.e2e.ts on Apache Kafka.
 */
import { json, string } from "@millrace/schema"
import { Effect } from "effect"
import { map as rxMap } from "rxjs"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "./bench.ts"

export function runSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  test("E4: a repartition, a join, a window and an aggregate, exactly once", async () => {
    const Orders = S.topic(named("orders"), { key: string, value: json<{ customer: string; amount: number }>() })
    const Customers = S.topic(named("customers"), { key: string, value: json<{ tier: string }>() })
    const Revenue = S.topic(named("revenue"), { key: string, value: json<{ from: number; total: number }>() })
    const revenue = S.pipeline(named("revenue-app"), () =>
      S.stream(Orders).pipe(
        S.keyBy((order) => order.customer),
        S.joinTable("customer", S.table(Customers), (order, customer) => ({ ...order, tier: customer.tier })),
        S.keyBy((order) => order.tier),
        S.window(S.tumbling("1 minute", { grace: "1 hour" })),
        S.aggregate("revenue-by-tier", { init: () => 0, add: (sum, order) => sum + order.amount }),
        S.toStream(),
        S.mapRecord(({ key, value }) => ({ key: key.key, value: { from: key.start, total: value } })),
        S.to(Revenue),
      ),
    )
    await bench.createTopics({ orders: 2, customers: 3, revenue: 1 })
    await bench.produce(Customers, [
      ["ann", { tier: "gold" }, 0],
      ["bob", { tier: "tin" }, 0],
      ["cid", { tier: "gold" }, 0],
    ])
    const amounts = Array.from({ length: 300 }, (_, at) => at + 1)
    const names = ["ann", "bob", "cid"]
    await using running = await S.run(revenue, bench.options("revenue"))
    await bench.produce(
      Orders,
      amounts.map((amount) => [`o${amount}`, { customer: names[amount % 3]!, amount }, 60_000 * (amount % 2)] as const),
    )
    const found = await bench.consume(Revenue, 300)
    expect(found).toHaveLength(300)
    const last = new Map(found.map(({ key, value }) => [`${key}@${value!.from}`, Math.max(value!.total)]))
    const total = [...last.values()].reduce((sum, one) => sum + one, 0)
    expect(total).toBe(amounts.reduce((sum, one) => sum + one, 0))
    expect(running.state()).toBe("running")
    expect(running.metrics().transactions.committed).toBeGreaterThan(0)
  })

  const Words = (name: string) => S.topic(named(name), { key: string, value: string })
  const Counts = (name: string) => S.topic(named(name), { key: string, value: json<number>() })

  const counting = (name: string, from: S.Topic<string, string>, to: S.Topic<string, number>) =>
    S.pipeline(named(name), () =>
      S.stream(from).pipe(
        S.keyBy((word) => word),
        S.count("words"),
        S.toStream(),
        S.to(to),
      ),
    )

  const words = (count: number) => Array.from({ length: count }, (_, at) => [`k${at % 7}`, `w${at % 10}`, at] as const)
  const lastOf = (found: ReadonlyArray<{ key: string; value: number | null }>) =>
    new Map(found.map(({ key, value }) => [key, value]))

  test("S6 S10: state and position survive an orderly restart, without reading the changelog again", async () => {
    const [from, to] = [Words("restart-in"), Counts("restart-out")]
    await bench.createTopics({ "restart-in": 2, "restart-out": 1 })
    const pipeline = counting("restart-app", from, to)
    for (const round of [1, 2, 3]) {
      await using running = await S.run(pipeline, bench.options("restart"))
      await bench.produce(from, words(100))
      const found = await bench.consume(to, 100 * round)
      expect(found).toHaveLength(100 * round)
      expect([...lastOf(found).values()]).toEqual(Array.from({ length: 10 }, () => 10 * round))
      expect(running.state()).toBe("running")
    }
  })

  test("S6: state comes back from the changelog where the local one is lost", async () => {
    const [from, to] = [Words("lost-in"), Counts("lost-out")]
    await bench.createTopics({ "lost-in": 2, "lost-out": 1 })
    const pipeline = counting("lost-app", from, to)
    for (const round of [1, 2]) {
      await using _running = await S.run(pipeline, bench.options(`lost-${round}`))
      await bench.produce(from, words(100))
      expect([...lastOf(await bench.consume(to, 100 * round)).values()]).toEqual(
        Array.from({ length: 10 }, () => 10 * round),
      )
    }
  })

  test("O3: who closes without leaving is waited for, and has its tasks again when it is back", async () => {
    const [from, to] = [Words("stays-in"), Counts("stays-out")]
    await bench.createTopics({ "stays-in": 4, "stays-out": 1 })
    const pipeline = counting("stays-app", from, to)
    const admin = bench.client.admin()
    const members = async () =>
      bench.groupProtocol === "streams"
        ? (await admin.describeStreamsGroup(pipeline.name))!.members.map(({ memberId }) => memberId)
        : (await admin.describeGroups([pipeline.name]))[0]!.members.map(({ groupInstanceId }) => groupInstanceId)
    const tasksOf = (one: S.RunHandle) => one.metrics().perTask.map(({ task }) => task)
    const seen: S.RunState[] = []
    await using first = await S.run(pipeline, bench.options("stays-1"))
    const onStateChange = (state: S.RunState) => void seen.push(state)
    await using second = await S.run(pipeline, bench.options("stays-2", { onStateChange }))
    const isShared = (one: S.RunHandle) => one.state() === "running" && one.metrics().tasks === 4
    await eventually("both have half of the tasks", () => isShared(first) && isShared(second))
    await bench.produce(from, words(200))
    await bench.consume(to, 200)
    const before = { members: (await members()).sort(), tasks: tasksOf(second) }
    expect(before.members.length).toBe(2)
    seen.length = 0
    await first.close({ leaveGroup: false })
    expect((await members()).sort()).toEqual(before.members)
    await bench.produce(from, words(200))
    await using again = await S.run(pipeline, bench.options("stays-1"))
    await eventually("it has its tasks again", () => isShared(again))
    expect(lastOf(await bench.consume(to, 400)).get("w0")).toBe(40)
    expect((await members()).sort()).toEqual(before.members)
    // No task came to the other, and none went.
    expect([seen, tasksOf(second)]).toEqual([[], before.tasks])
    expect(again.metrics().restoredRecords).toBe(0)
  })

  test("O3: who would be another member when it is back cannot remain", async () => {
    const [from, to] = [Words("goes-in"), Counts("goes-out")]
    await bench.createTopics({ "goes-in": 1, "goes-out": 1 })
    const { stateDir: _, ...options } = bench.options("goes")
    await using running = await S.run(counting("goes-app", from, to), options)
    await expect(running.close({ leaveGroup: false })).rejects.toThrow(/"goes-app.*has no stateDir.*or leave$/)
    await bench.produce(from, words(100))
    expect(await bench.consume(to, 100)).toHaveLength(100)
  })

  test("E9 R4: two processes share the tasks, and the one that is left takes them all", async () => {
    const [from, to] = [Words("shared-in"), Counts("shared-out")]
    await bench.createTopics({ "shared-in": 4, "shared-out": 1 })
    const pipeline = counting("shared-app", from, to)
    await using first = await S.run(pipeline, bench.options("shared-1"))
    await bench.produce(from, words(200))
    await bench.consume(to, 200)
    expect(first.metrics().tasks).toBe(8)
    const second = await S.run(pipeline, bench.options("shared-2"))
    await eventually("both have half of the tasks", () => first.metrics().tasks === 4 && second.metrics().tasks === 4)
    await bench.produce(from, words(200))
    await bench.consume(to, 400)
    await second.close()
    await eventually("the first has all tasks again", () => first.metrics().tasks === 8)
    await bench.produce(from, words(200))
    const found = await bench.consume(to, 600)
    expect(found).toHaveLength(600)
    expect([...lastOf(found).values()]).toEqual(Array.from({ length: 10 }, () => 60))
  })

  test("J8: rows joined by foreign key stay joined while processes come and go", async () => {
    const Orders = S.topic(named("fk-orders"), { key: string, value: string })
    const Customers = S.topic(named("fk-customers"), { key: string, value: string })
    await bench.createTopics({ "fk-orders": 3, "fk-customers": 2 })
    const joined = S.table(Orders).pipe(
      S.leftJoinForeignKey(
        "joined",
        S.table(Customers),
        (customer) => customer,
        (_, name) => name ?? "nobody",
      ),
    )
    const pipeline = S.pipeline(named("fk-app"), () => joined)
    const [orders, names] = [new Map<string, string>(), new Map<string, string>()]
    const change = async (round: number) => {
      for (let at = 0; at < 60; at++) orders.set(`o${at}`, `c${(at * (round + 1)) % 7}`)
      for (let at = 0; at < 5; at++) names.set(`c${(at + round) % 7}`, `name ${round}.${at}`)
      await bench.produce(
        Orders,
        [...orders].map(([key, customer], at) => [key, customer, round * 100 + at]),
      )
      await bench.produce(
        Customers,
        [...names].map(([key, name], at) => [key, name, round * 100 + 10 * at]),
      )
    }
    const settled = (...running: S.RunHandle[]) =>
      eventually("all rows are joined", () => {
        const found = new Map(
          running.flatMap((one) => [...one.store(joined).all()].map(({ key, value }) => [key, value])),
        )
        return [...orders].every(([key, customer]) => found.get(key) === (names.get(customer) ?? "nobody"))
      })
    await using first = await S.run(pipeline, bench.options("fk-1"))
    await change(0)
    await settled(first)
    const second = await S.run(pipeline, bench.options("fk-2"))
    await change(1)
    const tasks = () => [first.metrics().tasks, second.metrics().tasks].sort()
    await eventually("both have some of the tasks", () => tasks().join() === "2,3")
    await change(2)
    await settled(first, second)
    await change(3)
    await second.close()
    await eventually("the first has all tasks again", () => first.metrics().tasks === 5)
    await settled(first)
  })

  test("F6: a record that fails ends the run, aborts its transaction and is read again by the next", async () => {
    const [from, to] = [Words("poison-in"), Words("poison-out")]
    await bench.createTopics({ "poison-in": 1, "poison-out": 1 })
    let isPoison = true
    const pipeline = S.pipeline(named("poison-app"), () =>
      S.stream(from).pipe(
        S.map((word) => {
          if (word === "w3" && isPoison) throw new Error("cannot digest")
          return word
        }),
        S.to(to),
      ),
    )
    await bench.produce(from, words(5))
    const failing = await S.run(pipeline, bench.options("poison"))
    await expect(failing.done).rejects.toThrow(/operator "map-1", record poison-in.*-0@3: cannot digest/)
    expect(failing.state()).toBe("error")
    expect(await bench.consume(to, 1, 200)).toEqual([])
    isPoison = false
    await using _running = await S.run(pipeline, bench.options("poison"))
    expect((await bench.consume(to, 5)).map(({ value }) => value)).toEqual(["w0", "w1", "w2", "w3", "w4"])
  })

  test("effects that take longer in sum than a commit may wait go in smaller transactions", async () => {
    const [from, to] = [Words("slow-in"), Words("slow-out")]
    await bench.createTopics({ "slow-in": 1, "slow-out": 1 })
    const pipeline = S.pipeline(named("slow-app"), () =>
      S.stream(from).pipe(
        S.mapEffect((word) => Effect.as(Effect.sleep(15), word), {
          ...{ name: "call", concurrency: 64, serialBy: "key", timeout: 400 },
        }),
        S.to(to),
      ),
    )
    // One behind the other, though as many as there are could run at once.
    await bench.produce(
      from,
      words(60).map(([, word, time]) => ["key", word, time]),
    )
    const said: string[] = []
    const log = (message: string) => said.push(message)
    await using running = await S.run(pipeline, { ...bench.options("slow"), transactionTimeoutMs: 1_000, log })
    expect(await bench.consume(to, 60)).toHaveLength(60)
    expect(running.metrics().transactions.aborted).toBeGreaterThan(0)
    expect(said).toContainEqual(expect.stringMatching(/did not end within 500 ms, .*: operator "call" in 0_0$/))
  })

  test("effects and subscriptions run inside transactions", async () => {
    const [from, to] = [Words("effects-in"), Words("effects-out")]
    await bench.createTopics({ "effects-in": 1, "effects-out": 1 })
    const pipeline = S.pipeline(named("effects-app"), () =>
      S.stream(from).pipe(
        S.mapEffect((word) => Effect.as(Effect.sleep(1), `${word}!`), {
          name: "call",
          concurrency: 16,
          timeout: "1 second",
        }),
        S.rx((records$) => records$.pipe(rxMap((record) => record.with(`${record.value}?`)))),
        S.to(to),
      ),
    )
    await using _running = await S.run(pipeline, bench.options("effects"))
    await bench.produce(from, words(50))
    const found = await bench.consume(to, 50)
    expect(found.map(({ value }) => value)).toEqual(words(50).map(([, word]) => `${word}!?`))
  })

  test("output to the input topic: what a pipeline writes it reads, each record once", async () => {
    const Loop = S.topic(named("loop"), { key: string, value: json<number>() })
    await bench.createTopics({ loop: 2 })
    const pipeline = S.pipeline(named("loop-app"), () =>
      S.stream(Loop).pipe(
        S.map((round) => round + 1),
        S.filter((round) => round <= 5),
        S.to(Loop),
      ),
    )
    const keys = Array.from({ length: 10 }, (_, at) => `k${at}`)
    await bench.produce(
      Loop,
      keys.map((key) => [key, 1, 0] as const),
    )
    const running = await S.run(pipeline, bench.options("loop"))
    expect(await bench.consume(Loop, 50)).toHaveLength(50)
    await running.close()
    const found = Map.groupBy(await bench.consume(Loop, 51, 500), ({ key }) => key)
    for (const key of keys) expect(found.get(key)!.map(({ value }) => value)).toEqual([1, 2, 3, 4, 5])
  })

  test("at-least-once runs without transactions", async () => {
    const [from, to] = [Words("alo-in"), Counts("alo-out")]
    await bench.createTopics({ "alo-in": 2, "alo-out": 1 })
    await using _running = await S.run(
      counting("alo-app", from, to),
      bench.options("alo", { processingGuarantee: "at-least-once" }),
    )
    await bench.produce(from, words(100))
    expect([...lastOf(await bench.consume(to, 100)).values()]).toEqual(Array.from({ length: 10 }, () => 10))
  })

  test("S4: internal topics have the configurations that they need", async () => {
    const admin = bench.client.admin()
    const of = async (name: string) => {
      const [resource] = await admin.describeConfigs([{ type: "topic", name }])
      return Object.fromEntries(resource!.configs.map((config) => [config.name, config.value]))
    }
    expect((await of(`${named("restart-app")}-words-changelog`))["cleanup.policy"]).toBe("compact")
    expect(await of(`${named("restart-app")}-words-repartition`)).toMatchObject({
      "cleanup.policy": "delete",
      "retention.ms": "-1",
    })
  })

  test.each<readonly [string, () => Promise<unknown>, RegExp]>([
    [
      "a topic that does not exist",
      () => S.run(counting("none-app", Words("none-in"), Counts("none-out")), bench.options("none")),
      /topic "none-in.*" does not exist/,
    ],
    [
      "a state directory in use",
      async () => {
        await bench.createTopics({ "locked-in": 1 })
        const pipeline = counting("locked-app", Words("locked-in"), Counts("locked-out"))
        await using _first = await S.run(pipeline, bench.options("locked"))
        return await S.run(pipeline, bench.options("locked"))
      },
      /state directory .*locked-app.* is in use by process \d+/,
    ],
    [
      "an effect's timeout that does not fit the transaction",
      () =>
        S.run(
          S.pipeline("slow-app", () =>
            S.stream(Words("x")).pipe(
              S.mapEffect(() => Effect.succeed("x"), { name: "call", concurrency: 1, timeout: "5 seconds" }),
              S.to(Words("y")),
            ),
          ),
          bench.options("slow"),
        ),
      /operator "call": a timeout of 5000 ms must be below half the transaction timeout of 10000 ms/,
    ],
    [
      "rule 8: a transaction timeout beyond the session's",
      () => S.run(counting("z", Words("x"), Counts("y")), bench.options("z", { transactionTimeoutMs: 50_000 })),
      /transactionTimeoutMs 50000 must not exceed sessionTimeoutMs 45000/,
    ],
    [
      "a commit interval beyond the transaction timeout",
      () => S.run(counting("z", Words("x"), Counts("y")), bench.options("z", { commitIntervalMs: 20_000 })),
      /commitIntervalMs 20000 must be below/,
    ],
  ])("E2 S11: refuses %s", async (_, start, message) => {
    await expect(start()).rejects.toThrow(message)
  })
}

/**
 * Interactive queries against a broker, whichever it is.
 */
import { int32, json, string } from "@millrace/schema"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "../run/bench.ts"
import { schemed } from "./schemed.ts"

export function querySuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  const rows = <K, V>(found: Iterable<S.Row<K, V>>) => [...found].map(({ key, value }) => [key, value])

  describe("a key-value store", () => {
    const Users = S.topic(named("iq-users"), { key: string, value: json<{ age: number }>() })
    const users = S.table(Users, { store: "users" })
    const pipeline = S.pipeline(named("iq-users-app"), () => users)
    const names = ["ann", "anna", "bob", "cid", "dora"]
    let running: S.RunHandle
    beforeAll(async () => {
      await bench.createTopics({ "iq-users": 3 })
      running = await S.run(pipeline, bench.options("iq-users"))
      await bench.produce(
        Users,
        names.map((name, age) => [name, { age }, 100 + age]),
      )
      await eventually("all rows are there", () => [...running.store(users).all()].length === names.length)
    })
    afterAll(() => running.close())

    test("Q1: a key", () => {
      const store = running.store(users)
      expect(store.get("bob")).toEqual({ age: 2 })
      expect(store.row("bob")).toEqual({ key: "bob", value: { age: 2 }, timestamp: 102 })
      expect(store.get("nobody")).toBeUndefined()
    })

    test.each<
      readonly [string, (store: S.StoreView<string, { age: number }>) => Iterable<S.Row<string, any>>, string[]]
    >([
      ["all", (store) => store.all(), names],
      ["all, backwards", (store) => store.all({ order: "desc" }), names.toReversed()],
      ["a range, both ends included", (store) => store.range({ from: "anna", to: "cid" }), ["anna", "bob", "cid"]],
      ["a range without an end", (store) => store.range({ from: "bob" }), ["bob", "cid", "dora"]],
      ["a range without a beginning", (store) => store.range({ to: "b" }), ["ann", "anna"]],
      ["a range backwards", (store) => store.range({ from: "ann", to: "bob", order: "desc" }), ["bob", "anna", "ann"]],
      ["a range turned round", (store) => store.range({ from: "d", to: "a" }), []],
      ["a prefix", (store) => store.prefix("an"), ["ann", "anna"]],
    ])("Q3: %s, over all partitions, by key", (_, ask, expected) => {
      expect([...ask(running.store(users))].map(({ key }) => key)).toEqual(expected)
    })

    test("Q6: a bound that was not reached yet is told, partition by partition", async () => {
      const { position, partitions } = running.query(users, { kind: "range" })
      expect([...partitions.values()].map((one) => one.ok)).toEqual([true, true, true])
      const total = [...partitions.values()].flatMap((one) => (one.ok ? one.result.rows : []))
      expect(total).toHaveLength(names.length)
      const { partition } = running.metadataForKey(users, "bob")
      const seen = position[Users.name]![partition]!
      const ahead = { [Users.name]: { [partition]: seen + 1 } }
      const refused = running.query(users, { kind: "key", key: "bob" }, { bound: ahead })
      expect(refused.partitions.get(partition)).toMatchObject({ ok: false, reason: "NOT_UP_TO_BOUND" })
      expect([...refused.partitions].filter(([, one]) => one.ok)).toHaveLength(2)
      await bench.produce(Users, [["bob", { age: 77 }, 500]])
      await eventually("the bound is reached", () => {
        const found = running.query(users, { kind: "key", key: "bob" }, { bound: ahead }).partitions.get(partition)!
        return found.ok && found.result?.value.age === 77
      })
      await bench.produce(Users, [["bob", { age: 2 }, 501]])
      await eventually("as before", () => running.store(users).get("bob")?.age === 2)
    })

    test("Q3: an answer cut by its limit is continued", () => {
      const found: string[] = []
      for (const partition of [0, 1, 2]) {
        let after: string | undefined
        do {
          const query = { kind: "range", order: "desc", limit: 1, ...(after !== undefined && { after }) } as const
          const one = running.query(users, query, { partitions: [partition] }).partitions.get(partition)!
          if (!one.ok) throw new Error(one.message)
          expect(one.result.rows.length).toBeLessThanOrEqual(1)
          found.push(...one.result.rows.map(({ key }) => key))
          after = one.result.next
        } while (after !== undefined)
      }
      expect(found.sort()).toEqual(names)
    })

    test.each([
      ["a partition beyond the last", { kind: "key", key: "x" } as S.Query, [3], "DOES_NOT_EXIST"],
      ["a query of windows", { kind: "windows", key: "x" } as S.Query, [0], "UNKNOWN_QUERY_TYPE"],
      ["a key of another type", { kind: "key", key: 5 } as S.Query, [0], "STORE_EXCEPTION"],
    ])("Q7: a failure has a reason: %s", (_, query, partitions, reason) => {
      const [result] = running.query("users", query, { partitions }).partitions.values()
      expect(result).toMatchObject({ ok: false, reason })
    })

    test("a store that is not there is named, with those that are", () => {
      expect(() => running.store("user")).toThrow(/has no store "user"; its stores: "users"/)
      expect(() => running.query("users", { kind: "range", limit: 0 })).toThrow(/limit 0/)
    })
  })

  test("Q4: windows of a key, of all keys, and one window", async () => {
    const Clicks = S.topic(named("iq-clicks"), { key: string, value: json<number>() })
    const clicks = S.stream(Clicks).pipe(S.window(S.tumbling(10, { grace: 1_000 })), S.count("clicks"))
    await bench.createTopics({ "iq-clicks": 2 })
    await using running = await S.run(
      S.pipeline(named("iq-clicks-app"), () => clicks),
      // Both a store in the engine and one in memory are read.
      bench.options("iq-clicks", { flushLimits: { memtableBytesMax: 1, memtableAgeMs: 1 } }),
    )
    const send = (times: readonly number[]) =>
      bench.produce(
        Clicks,
        times.flatMap(
          (time) =>
            [
              ["ann", 1, time],
              ["bob", 1, time],
            ] as const,
        ),
      )
    await send([1, 2, 11])
    const store = running.store(clicks)
    await eventually("the first windows", () => [...store.all()].length === 4)
    await send([12, 35])
    await eventually("the last window", () => [...store.all()].length === 6)
    const of = (key: string, start: number) => ({ key, start, end: start + 10 })
    expect(rows(store.fetch("ann"))).toEqual([
      [of("ann", 0), 2],
      [of("ann", 10), 2],
      [of("ann", 30), 1],
    ])
    expect(rows(store.fetch("ann", { from: 10, to: 29 }))).toEqual([[of("ann", 10), 2]])
    expect(rows(store.fetch("bob", { from: 10, order: "desc" }))).toEqual([
      [of("bob", 30), 1],
      [of("bob", 10), 2],
    ])
    expect(
      rows(store.fetchAll({ to: 9 }))
        .map(([key]) => (key as S.Windowed<string>).key)
        .sort(),
    ).toEqual(["ann", "bob"])
    expect([...store.fetchAll()].map(({ key }) => key.start)).toEqual([0, 0, 10, 10, 30, 30])
    expect(store.get(of("ann", 10))).toBe(2)
    expect(store.get(of("ann", 20))).toBeUndefined()
    // Grace is 1000 and windows are kept for size and grace: those that start at 90 or before are past at 1100.
    await send([1_100])
    await eventually("the early windows are past", () => [...store.all()].length === 2)
    expect(store.get(of("ann", 10))).toBeUndefined()
    expect(rows(store.fetch("ann"))).toEqual([[of("ann", 1_100), 1]])
  })

  test("Q8 S9: what a transaction has not committed is seen when asked for, and only then", async () => {
    const Numbers = S.topic(named("iq-numbers"), { key: int32, value: json<number>() })
    const sums = S.stream(Numbers).pipe(
      S.aggregate("sums", { init: () => 0, add: (sum, value: number) => sum + value }),
    )
    await bench.createTopics({ "iq-numbers": 1 })
    await using running = await S.run(
      S.pipeline(named("iq-numbers-app"), () => sums),
      bench.options("iq-numbers", { commitIntervalMs: 9_000 }),
    )
    await bench.produce(Numbers, [
      [1, 5, 1],
      [-1, 7, 1],
    ])
    const ask = (isolation: S.QueryOptions["isolation"]) => {
      const one = running.query(sums, { kind: "range" }, { isolation: isolation! }).partitions.get(0)
      return one?.ok ? one.result.rows.map(({ key, value }) => [key, value]) : []
    }
    await eventually("it is processed", () => ask("read_uncommitted").length === 2)
    expect(ask("read_uncommitted")).toEqual([
      [1, 5],
      [-1, 7],
    ])
    expect(ask("read_committed")).toEqual([])
    expect(running.store(sums).get(1)).toBeUndefined()
  })

  test("J5 J8: the results of joins of tables are queried as they are kept", async () => {
    const Orders = S.topic(named("iq-orders"), { key: string, value: json<{ customer: string; sum: number }>() })
    const Paid = S.topic(named("iq-paid"), { key: string, value: json<number>() })
    const Customers = S.topic(named("iq-customers"), { key: string, value: string })
    const open = S.table(Orders).pipe(
      S.leftJoinTables("open", S.table(Paid), (order, paid) => order.sum - (paid ?? 0), { store: "open-sums" }),
    )
    const payers = S.table(Orders).pipe(
      S.joinForeignKey(
        "payers",
        S.table(Customers),
        (order) => order.customer,
        (order, customer) => `${customer}: ${order.sum}`,
      ),
    )
    await bench.createTopics({ "iq-orders": 3, "iq-paid": 3, "iq-customers": 2 })
    await using running = await S.run(
      S.pipeline(named("iq-joins-app"), () => [open, payers]),
      bench.options("iq-joins"),
    )
    await bench.produce(Customers, [
      ["a", "ann", 1],
      ["b", "bob", 1],
    ])
    await bench.produce(Orders, [
      ["o1", { customer: "a", sum: 10 }, 2],
      ["o2", { customer: "b", sum: 20 }, 3],
      ["o3", { customer: "nobody", sum: 30 }, 4],
    ])
    await bench.produce(Paid, [["o2", 5, 9]])
    const both = () => [rows(running.store(open).all()), rows(running.store(payers).all())]
    await eventually("both are joined", () => both()[1]!.length === 2 && running.store(open).get("o2") === 15)
    await eventually("all orders are open", () => both()[0]!.length === 3)
    expect(both()).toEqual([
      [
        ["o1", 10],
        ["o2", 15],
        ["o3", 30],
      ],
      [
        ["o1", "ann: 10"],
        ["o2", "bob: 20"],
      ],
    ])
    expect(running.store(open).row("o2")).toEqual({ key: "o2", value: 15, timestamp: 9 })
    expect(running.store(payers).row("o1")).toEqual({ key: "o1", value: "ann: 10", timestamp: 2 })
    expect(() => running.store("payers-subscriptions")).toThrow(/has no store "payers-subscriptions"/)
    const viewed = S.table(Orders).pipe(S.joinTables("viewed", S.table(Paid), (order, paid) => order.sum - paid))
    expect(() => running.store(viewed)).toThrow(/operator "viewed" is not kept in a store: give it one/)
  })

  test("Q7: a key of another process is no missing key", async () => {
    const Users = S.topic(named("iq-two"), { key: string, value: json<number>() })
    const users = S.table(Users, { store: "two" })
    const pipeline = S.pipeline(named("iq-two-app"), () => users)
    await bench.createTopics({ "iq-two": 2 })
    await using first = await S.run(pipeline, bench.options("iq-two-1"))
    await using second = await S.run(pipeline, bench.options("iq-two-2"))
    await eventually("each has one", () => first.metrics().tasks === 1 && second.metrics().tasks === 1)
    const keys = ["a", "b", "c", "d", "e", "f", "g", "h"]
    await bench.produce(
      Users,
      keys.map((key, at) => [key, at, at]),
    )
    for (const [at, key] of keys.entries()) {
      const [here, there] = first.metadataForKey(users, key).isHere ? [first, second] : [second, first]
      await eventually("it is here", () => here.store(users).get(key) === at)
      expect(() => there.store(users).get(key)).toThrow(
        /partition \d is not here; no process that answers queries has it now/,
      )
      const { partition } = first.metadataForKey(users, key)
      const result = there.query(users, { kind: "key", key }, { partitions: [partition] }).partitions.get(partition)
      expect(result).toMatchObject({ ok: false, reason: "NOT_PRESENT" })
    }
  })

  test("Q1 Q7: a row whose schema is not known yet is fetched, and answered then", async () => {
    /** Schemas that the process has fetched; reading one value needs it. */
    const known = new Set<string>()
    const fetched: string[] = []
    const Names = S.topic(named("iq-schemas"), {
      key: string,
      value: schemed(known, (text) => void fetched.push(text)),
    })
    const table = S.table(Names, { store: "names" })
    await bench.createTopics({ "iq-schemas": 1 })
    known.add("lost").add("old").add("older").add("oldest")
    await using running = await S.run(
      S.pipeline(named("iq-schemas-app"), () => table),
      bench.options("iq-schemas", { queries: { listen: "127.0.0.1:0" } }),
    )
    await bench.produce(Names, [
      ["a", "old", 1],
      ["b", "older", 1],
      ["c", "lost", 1],
      ["d", "oldest", 1],
    ])
    const read = (key: string) => running.query(table, { kind: "key", key }).partitions.get(0)
    const isThere = (key: string) => {
      const found = read(key)
      return found?.ok === true && found.result !== undefined
    }
    await eventually("all rows are there", () => ["a", "b", "c", "d"].every(isThere))
    // As after a restart: the rows were written by a version that had other schemas.
    known.clear()
    const get = async (path: string) => {
      const response = await fetch(`http://${running.endpoint}/stores/names${path}`)
      return { status: response.status, body: (await response.json()) as any }
    }
    expect(await get("/a")).toMatchObject({ status: 200, body: { key: "a", value: "old" } })
    expect(fetched).toEqual(["old"])
    expect(read("b")).toMatchObject({ ok: false, reason: "STORE_EXCEPTION" })
    await eventually("the schema is fetched", () => isThere("b"))
    expect(await get("?to=b")).toMatchObject({ status: 200, body: { partitions: [{ rows: [{}, {}] }] } })
    expect(await get("/c")).toMatchObject({ status: 400, body: { error: "STORE_EXCEPTION" } })
    expect(() => running.store(table).get("d")).toThrow("schema id 6 has not been fetched from the registry yet")
    await eventually("the schema is fetched", () => known.has("oldest"))
    expect(running.store(table).get("d")).toBe("oldest")
  })
}

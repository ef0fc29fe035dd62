/**
 * Interactive queries against a broker, whichever it is.
 */
import { int32, json, string } from "@millrace/schema"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "../run/bench.ts"

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
      expect(() => there.store(users).get(key)).toThrow(/partition \d of that key is not here/)
      const { partition } = first.metadataForKey(users, key)
      const result = there.query(users, { kind: "key", key }, { partitions: [partition] }).partitions.get(partition)
      expect(result).toMatchObject({ ok: false, reason: "NOT_PRESENT" })
    }
  })

  test("Q9 Q10: copies are read where a query says so, and tell how much they lack", async () => {
    const Users = S.topic(named("iq-copied"), { key: string, value: json<number>() })
    const users = S.table(Users, { store: "users" })
    await bench.createTopics({ "iq-copied": 2 })
    const pipeline = S.pipeline(named("iq-copied-app"), () => users)
    const rules = { standbyReplicas: 1, queries: { listen: "127.0.0.1:0" } }
    const keys = Array.from({ length: 20 }, (_, at) => `user-${at}`)
    const write = (value: number) =>
      bench.produce(
        Users,
        keys.map((key) => [key, value, value] as const),
      )
    await using first = await S.run(pipeline, bench.options("iq-copied-1", rules))
    await using second = await S.run(pipeline, bench.options("iq-copied-2", rules))
    const all = [first, second]
    await eventually("each runs one task and copies the other", () =>
      all.every((one) => one.metrics().tasks === 1 && one.metrics().standbyTasks === 1),
    )
    const [own] = second.store(users).partitions
    const other = 1 - own!
    const rowsOf = (one: S.RunHandle, options: S.QueryOptions) => {
      const { partitions } = one.query(users, { kind: "range" }, options)
      return [...partitions].flatMap(([partition, result]) =>
        result.ok ? result.result.rows.map(({ key, value }) => ({ partition, key, value })) : [],
      )
    }
    const isWritten = (one: S.RunHandle, value: number) => {
      const found = rowsOf(one, { allowStale: true })
      return found.length === keys.length && found.every((row) => row.value === value)
    }
    await write(1)
    await eventually("both have all rows", () => all.every((one) => isWritten(one, 1)))
    await eventually("no copy lacks anything", async () => (await second.lags()).every(({ lag }) => lag === 0))
    const roles = [
      { store: "users", partition: own!, role: "active", lag: 0 },
      { store: "users", partition: other, role: "standby", lag: 0 },
    ]
    roles.sort((left, right) => left.partition - right.partition)
    expect(await second.lags()).toEqual(roles)
    const get = async (path: string) => {
      const response = await fetch(`http://${second.endpoint}${path}`)
      return { status: response.status, body: (await response.json()) as any }
    }
    expect(await get("/lags")).toEqual({ status: 200, body: roles })

    // Who does not ask for it never sees a copy.
    expect(new Set(rowsOf(second, {}).map(({ partition }) => partition))).toEqual(new Set([own]))
    const ask = (options: S.QueryOptions) =>
      second.query(users, { kind: "range" }, { partitions: [other], ...options }).partitions.get(other)
    expect(ask({})).toMatchObject({ ok: false, reason: "NOT_PRESENT" })
    expect(ask({ allowStale: true })).toMatchObject({ ok: true, position: {}, lag: 0 })
    const active = second.query(users, { kind: "range" }, { partitions: [own!], allowStale: true }).partitions.get(own!)
    expect(active).not.toHaveProperty("lag")
    const bound = { [Users.name]: { [other]: 0 } }
    expect(ask({ allowStale: true, bound })).toMatchObject({ ok: false, reason: "NOT_UP_TO_BOUND" })

    const { key } = rowsOf(second, { allowStale: true }).find(({ partition }) => partition === other)!
    const path = `/stores/users/${key}`
    expect((await get(`${path}?local=true`)).status).toBe(503)
    expect((await get(`${path}?local=true&allowStale=true`)).body).toMatchObject({ key, value: 1, lag: 0 })
    expect((await get(`${path}?allowStale=perhaps`)).body.message).toBe("allowStale perhaps: true or false")
    // The process that runs the task is away, and nobody has its place: what the copy has is better than nothing.
    await write(2)
    await eventually("both have all rows", () => all.every((one) => isWritten(one, 2)))
    const isKnown = () => second.metadataForKey(users, key).endpoint === first.endpoint
    await eventually("who has the key is known", isKnown)
    await first.close({ leaveGroup: false })
    expect((await get(path)).status).toBe(502)
    expect(await get(`${path}?allowStale=true`)).toMatchObject({
      status: 200,
      body: { key, value: 2, partition: other },
    })
    const rowsAnswer = (await get("/stores/users?allowStale=true")).body
    expect(rowsAnswer.partitions.flatMap((one: any) => one.rows)).toHaveLength(keys.length)
  })

  test("Q9 Q2: whoever is asked, a copy elsewhere answers where the task's process does not", async () => {
    const Users = S.topic(named("iq-away"), { key: string, value: json<number>() })
    const users = S.table(Users, { store: "users" })
    await bench.createTopics({ "iq-away": 2 })
    const pipeline = S.pipeline(named("iq-away-app"), () => users)
    const rules = { standbyReplicas: 1, queries: { listen: "127.0.0.1:0" } }
    const keys = Array.from({ length: 20 }, (_, at) => `user-${at}`)
    await using first = await S.run(pipeline, bench.options("iq-away-1", rules))
    await using second = await S.run(pipeline, bench.options("iq-away-2", rules))
    await using third = await S.run(pipeline, bench.options("iq-away-3", rules))
    const all = [first, second, third]
    await bench.produce(
      Users,
      keys.map((key) => [key, 1, 1] as const),
    )
    // Of two holders of each partition among three processes one is without.
    const holders = (one: S.RunHandle) =>
      [0, 1].map((partition) => {
        const have = one.allMetadata().map(({ endpoint, stores, standbyStores }) => ({
          endpoint,
          isActive: stores["users"]?.includes(partition) ?? false,
          isCopy: standbyStores["users"]?.includes(partition) ?? false,
        }))
        return [have.filter(({ isActive }) => isActive), have.filter(({ isCopy }) => isCopy)] as const
      })
    const rowsHere = (one: S.RunHandle) => {
      const { partitions } = one.query(users, { kind: "range" }, { allowStale: true })
      return [...partitions.values()].flatMap((result) => (result.ok ? result.result.rows : []))
    }
    await eventually("each partition has a task and a copy, and all know where", () =>
      all.every((one) => holders(one).every(([active, copies]) => active.length === 1 && copies.length === 1)),
    )
    await eventually(
      "all rows are there twice",
      () => all.reduce((sum, one) => sum + rowsHere(one).length, 0) === 2 * keys.length,
    )
    await eventually("no copy lacks anything", async () => {
      const lags = await Promise.all(all.map((one) => one.lags()))
      return lags.flat().every(({ lag }) => lag === 0)
    })
    const key = keys[0]!
    const { partition, endpoint, standbyEndpoints } = first.metadataForKey(users, key)
    const running = all.find((one) => one.endpoint === endpoint)!
    const without = all.find((one) => one.endpoint !== endpoint && !standbyEndpoints.includes(one.endpoint!))!
    expect([running.metadataForKey(users, key).isHere, standbyEndpoints.length]).toEqual([true, 1])
    const get = async (path: string) => {
      const response = await fetch(`http://${without.endpoint}${path}`)
      return { status: response.status, body: (await response.json()) as any }
    }
    const rowsOf = (body: any) => body.partitions.flatMap((one: any) => one.rows ?? [])
    // While it is there it answers itself.
    expect((await get(`/stores/users/${key}?allowStale=true`)).body).not.toHaveProperty("lag")
    await running.close({ leaveGroup: false })
    expect((await get(`/stores/users/${key}`)).status).toBe(502)
    expect(await get(`/stores/users/${key}?allowStale=true`)).toMatchObject({
      status: 200,
      body: { key, value: 1, partition, lag: 0 },
    })
    expect(rowsOf((await get("/stores/users?allowStale=true")).body)).toHaveLength(keys.length)
    expect(rowsOf((await get("/stores/users")).body).length).toBeLessThan(keys.length)
  })
}

/**
 * Global tables against a broker, whichever it is.
 */
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "./bench.ts"

export function globalTableSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  const joining = (name: string) => {
    const Countries = S.topic(named(`${name}-countries`), { key: string, value: string })
    const Orders = S.topic(named(`${name}-orders`), { key: string, value: json<{ country: string | null }>() })
    const Out = S.topic(named(`${name}-out`), { key: string, value: string })
    const countries = S.globalTable(Countries, { store: "countries" })
    const pipeline = S.pipeline(named(name), () => {
      const orders = S.stream(Orders)
      return [
        orders.pipe(
          S.joinGlobalTable(
            countries,
            (order) => order.country,
            (order, row) => `inner ${order.country} ${row}`,
          ),
          S.to(Out),
        ),
        orders.pipe(
          S.leftJoinGlobalTable(
            countries,
            (order) => order.country,
            (order, row) => `left ${order.country} ${row}`,
          ),
          S.to(Out),
        ),
      ]
    })
    const topics = { [`${name}-countries`]: 3, [`${name}-orders`]: 1, [`${name}-out`]: 1 }
    return { Countries, Orders, Out, countries, pipeline, topics }
  }

  test("D3: all of the table is there before the first record; its partitions need not be as many", async () => {
    const { Countries, Orders, Out, countries, pipeline, topics } = joining("global-start")
    await bench.createTopics(topics)
    const names = Array.from({ length: 500 }, (_, at) => `c${at}`)
    // The orders are there first, and older: a table that is not synchronised must not care.
    await bench.produce(
      Orders,
      names.map((name) => [name, { country: name }, 1]),
    )
    await bench.produce(
      Countries,
      names.map((name) => [name, `row of ${name}`, 1_000_000]),
    )
    await using running = await S.run(pipeline, bench.options("global-start"))
    const found = await bench.consume(Out, 1_000)
    expect(found.filter(({ value }) => value!.startsWith("inner")).map(({ value }) => value)).toEqual(
      names.map((name) => `inner ${name} row of ${name}`),
    )
    expect(found).toHaveLength(1_000)
    expect(running.store(countries).get("c7")).toBe("row of c7")
    expect([...running.store(countries).range({ from: "c498", to: "c499" })]).toHaveLength(2)
    expect(new Set(found.map(({ timestamp }) => timestamp))).toEqual(new Set([1]))
  })

  test("J11: no row drops an inner join and leaves a left one; so does a key that is null", async () => {
    const { Countries, Orders, Out, pipeline, topics } = joining("global-join")
    await bench.createTopics(topics)
    await bench.produce(Countries, [["de", "Germany", 1]])
    await using running = await S.run(pipeline, bench.options("global-join"))
    await bench.produce(Orders, [
      ["1", { country: "de" }, 1],
      ["2", { country: "xx" }, 2],
      ["3", { country: null }, 3],
    ])
    expect((await bench.consume(Out, 4)).map(({ value }) => value)).toEqual([
      "inner de Germany",
      "left de Germany",
      "left xx undefined",
      "left null undefined",
    ])
    expect(running.metrics().dropped["null-key"]).toBe(1)
  })

  test("D3: changes and deletions are followed, and a bound says how far", async () => {
    const { Countries, countries, pipeline, topics } = joining("global-change")
    await bench.createTopics(topics)
    await using running = await S.run(pipeline, bench.options("global-change"))
    await bench.produce(Countries, [
      ["de", "Germany", 5],
      ["fr", "France", 5],
    ])
    await eventually("both are there", () => [...running.store(countries).all()].length === 2)
    await using producer = bench.client.producer()
    producer.append(Countries.name, -1, 3, string.encode("de"), null)
    await producer.flush()
    await eventually("one is gone", () => running.store(countries).get("de") === undefined)
    // The latest offset wins, whatever its timestamp.
    await bench.produce(Countries, [["fr", "République française", 1]])
    await eventually("the other changed", () => running.store(countries).get("fr") === "République française")
    const { position } = running.query(countries, { kind: "range" })
    expect(Object.values(position[Countries.name]!).reduce((sum, last) => sum + last + 1, 0)).toBe(4)
    const ahead = { [Countries.name]: { 0: 1_000 } }
    const [refused] = running.query(countries, { kind: "key", key: "fr" }, { bound: ahead }).partitions.values()
    expect(refused).toMatchObject({ ok: false, reason: "NOT_UP_TO_BOUND" })
  })

  test("D3: after a restart only what came since is read, and every process has all of it", async () => {
    const { Countries, countries, pipeline, topics } = joining("global-again")
    await bench.createTopics(topics)
    const send = (from: number) =>
      bench.produce(
        Countries,
        Array.from({ length: 50 }, (_, at) => [`c${from + at}`, "row", 1] as const),
      )
    await send(0)
    const first = await S.run(pipeline, bench.options("global-again"))
    expect([...first.store(countries).all()]).toHaveLength(50)
    await first.close()
    // What was read is not in the log any more: it can only come from the engine.
    const admin = bench.client.admin()
    const ends = await admin.listOffsets(
      [0, 1, 2].map((partition) => ({ topic: Countries.name, partition, timestamp: -1 })),
    )
    await admin.deleteRecords(ends)
    await send(50)
    await using again = await S.run(pipeline, bench.options("global-again"))
    expect([...again.store(countries).all()]).toHaveLength(100)
    await using other = await S.run(pipeline, bench.options("global-other"))
    expect([...other.store(countries).all()]).toHaveLength(50)
  })

  test("F1: records that do not decode are passed over, also those that an earlier run took for rows", async () => {
    const Rates = S.topic(named("global-poison-rates"), { key: string, value: json<number>() })
    const Raw = S.topic(Rates.name, { key: string, value: string })
    const Ids = S.topic(named("global-poison-ids"), { key: string, value: string })
    await bench.createTopics({ "global-poison-rates": 1, "global-poison-ids": 1 })
    const rates = S.globalTable(Rates, { store: "rates" })
    const pipeline = (handlers: S.FailureHandlers) =>
      S.pipeline(
        named("global-poison"),
        () =>
          S.stream(Ids).pipe(
            S.joinGlobalTable(
              rates,
              (id) => id,
              (id, rate) => `${id} ${rate}`,
            ),
            S.forEach(() => {}),
          ),
        handlers,
      )
    await bench.produce(Raw, [
      ["eur", "2", 1],
      ["eur", "two", 2],
      ["usd", "3", 3],
    ])
    const first = await S.run(pipeline({}), bench.options("global-poison"))
    expect(() => first.store(rates).get("eur")).toThrow("json: not JSON")
    await first.close()
    const said: string[] = []
    const log = (message: string) => said.push(message)
    const skipping = pipeline({ onDeserializationFailure: "skip" })
    await using running = await S.run(skipping, { ...bench.options("global-poison"), log })
    expect([running.store(rates).get("eur"), running.store(rates).get("usd")]).toEqual([2, 3])
    expect(said).toContainEqual(expect.stringMatching(/record global-poison-rates\S*@1: .* passed over/))
    expect(running.metrics().dropped.skipped).toBe(1)
  })

  test("P7 F4: a global store's function sees each record once, over restarts and failures, and all of it elsewhere", async () => {
    const Events = S.topic(named("global-store-events"), { key: string, value: json<number>() })
    const Asks = S.topic(named("global-store-asks"), { key: string, value: string })
    await bench.createTopics({ "global-store-events": 2, "global-store-asks": 1 })
    const sums = (onProcessingFailure: S.FailureHandler) =>
      S.globalStore("sums", Events, { key: string, value: json<number>(), onProcessingFailure }, ({ value }, rows) => {
        rows.put("seen", (rows.get("seen") ?? 0) + 1)
        rows.put("sum", (rows.get("sum") ?? 0) + value!)
        if (value! < 0) throw new RangeError(`below 0: ${value}`)
      })
    const pipeline = (table: S.GlobalTable<string, number>) =>
      S.pipeline(named("global-store"), () =>
        S.stream(Asks).pipe(
          S.joinGlobalTable(
            table,
            (ask) => ask,
            (_, sum) => sum,
          ),
          S.forEach(() => {}),
        ),
      )
    const send = (...values: number[]) =>
      bench.produce(
        Events,
        values.map((value, at) => [`k${at}`, value, 1] as const),
      )
    const strict = sums("fail")
    await send(...Array.from({ length: 100 }, (_, at) => at))
    const first = await S.run(pipeline(strict), bench.options("global-store"))
    expect([first.store(strict).get("seen"), first.store(strict).get("sum")]).toEqual([100, 4_950])
    await send(1, 2, 3)
    await eventually("it follows", () => first.store(strict).get("seen") === 103)
    // In the middle of a batch: what is before it is kept, once, and nothing of it.
    await bench.produce(Events, [
      ["k", 10, 1],
      ["k", -5, 1],
      ["k", 20, 1],
    ])
    await expect(first.done).rejects.toThrow(/operator "sums", record global-store-events\S*@\d+: below 0: -5/)
    await expect(S.run(pipeline(strict), bench.options("global-store"))).rejects.toThrow(/below 0: -5/)
    const said: string[] = []
    const lenient = sums({ deadLetter: named("global-store-letters") })
    const options = { ...bench.options("global-store"), log: (line: string) => void said.push(line) }
    const again = await S.run(pipeline(lenient), options)
    expect([again.store(lenient).get("seen"), again.store(lenient).get("sum")]).toEqual([105, 4_986])
    expect(said).toContainEqual(expect.stringMatching(/@\d+: below 0: -5: passed over, the rows stay as they were/))
    expect(again.metrics().dropped.skipped).toBe(1)
    expect(await bench.client.admin().listTopics()).not.toContain(named("global-store-letters"))
    const { position } = again.query(lenient, { kind: "key", key: "sum" })
    expect(Object.values(position[Events.name]!).reduce((sum, last) => sum + last + 1, 0)).toBe(106)
    await again.close()
    await using other = await S.run(pipeline(lenient), bench.options("global-store-other"))
    expect([other.store(lenient).get("seen"), other.store(lenient).get("sum")]).toEqual([105, 4_986])
  })

  test("P7: rows that a table had are not taken for a store's of that name and topic, nor the other way round", async () => {
    const Users = S.topic(named("global-kinds-users"), { key: string, value: string })
    const Asks = S.topic(named("global-kinds-asks"), { key: string, value: string })
    await bench.createTopics({ "global-kinds-users": 2, "global-kinds-asks": 1 })
    await bench.produce(Users, [
      ["1", "ann", 1],
      ["2", "bob", 1],
    ])
    const rowsOf = async (users: S.GlobalTable<string, string>) => {
      const pipeline = S.pipeline(named("global-kinds"), () =>
        S.stream(Asks).pipe(
          S.joinGlobalTable(
            users,
            (ask) => ask,
            (_, row) => row,
          ),
          S.forEach(() => {}),
        ),
      )
      await using running = await S.run(pipeline, bench.options("global-kinds"))
      return [...running.store(users).all()].map(({ key, value }) => `${key} ${value}`)
    }
    const byId = S.globalTable(Users, { store: "users" })
    const byName = S.globalStore("users", Users, { key: string, value: string }, ({ key, value }, rows) => {
      if (value !== null) rows.put(value, key!)
    })
    expect(await rowsOf(byId)).toEqual(["1 ann", "2 bob"])
    expect(await rowsOf(byName)).toEqual(["ann 1", "bob 2"])
    expect(await rowsOf(byId)).toEqual(["1 ann", "2 bob"])
  })

  test("a topic that is not there is named", async () => {
    const { pipeline } = joining("global-none")
    await bench.createTopics({ "global-none-orders": 1, "global-none-out": 1 })
    await expect(S.run(pipeline, bench.options("global-none"))).rejects.toThrow(
      /topic "global-none-countries.*" does not exist/,
    )
  })
}

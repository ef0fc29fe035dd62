/**
 * Interactive queries of versioned stores against a broker, whichever it is: VersionedKey (KIP-960), MultiVersionedKey
 * (KIP-968), in process, over HTTP and as changes.
 */
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "../run/bench.ts"

export function versionsSuite(start: () => Promise<Bench>): void {
  const Prices = S.topic(named("iq-prices"), { key: string, value: json<number>() })
  const prices = S.table(Prices, { store: "prices", versioned: { history: 1_000 } })
  let bench: Bench
  let running: S.RunHandle
  const changes: Array<readonly [string, number | undefined]> = []

  const send = async (key: string, value: number | null, at: number) => {
    await bench.produce(Prices, [[key, value, at]])
    const isThere = () => {
      const [one] = running.query(prices, { kind: "key", key, asOf: at }).partitions.values()
      return one?.ok === true && one.result?.value === (value ?? undefined)
    }
    await eventually(`${key} at ${at} is there`, isThere)
  }

  beforeAll(async () => {
    bench = await start()
    await bench.createTopics({ "iq-prices": 1 })
    // Both versions in the engine and those in memory are read.
    const options = { flushLimits: { memtableBytesMax: 1, memtableAgeMs: 1 }, queries: { listen: "127.0.0.1:0" } }
    running = await S.run(
      S.pipeline(named("iq-prices-app"), () => prices),
      bench.options("iq-prices", options),
    )
    running.changes(prices).subscribe(({ key, value }) => void changes.push([key, value]))
    await send("tea", 1, 10)
    await send("tea", 3, 300)
    await send("tea", 2, 200)
    await send("tea", null, 400)
    await send("tea", 5, 500)
    await send("ale", 9, 1_100)
    await send("rum", 7, 1_150)
    await send("rum", null, 1_200)
  }, 60_000)
  afterAll(async () => {
    await running.close()
    await bench.close()
  })

  test("Q5 S2: a key as of a time", () => {
    const store = running.store(prices)
    expect(store.get("tea")).toBe(5)
    expect(store.row("tea")).toEqual({ key: "tea", value: 5, timestamp: 500 })
    expect(store.row("tea", 250)).toEqual({ key: "tea", value: 2, timestamp: 200, validTo: 300 })
    expect(store.get("tea", 399)).toBe(3)
    expect(store.get("tea", 450)).toBeUndefined()
    // The history begins at 200.
    expect(store.get("tea", 199)).toBeUndefined()
    expect(store.get("ale", 1_099)).toBeUndefined()
    expect(store.get("rum")).toBeUndefined()
    expect(store.get("rum", 1_199)).toBe(7)
  })

  test("Q5 S2: versions of a key that held between two times", () => {
    const store = running.store(prices)
    const versions = (times: Parameters<typeof store.versions>[1]) =>
      [...store.versions("tea", times)].map(({ value }) => value)
    expect(versions({})).toEqual([2, 3, 5])
    expect(versions({ order: "desc" })).toEqual([5, 3, 2])
    expect(versions({ from: 250, to: 300 })).toEqual([2, 3])
    expect(versions({ from: 300 })).toEqual([3, 5])
    expect(versions({ from: 400, to: 499 })).toEqual([])
    expect([...store.versions("none")]).toEqual([])
  })

  test("Q5 S2: an answer of versions cut by its limit is continued", () => {
    for (const order of ["asc", "desc"] as const) {
      const found: number[] = []
      let after: string | undefined
      do {
        const query = { kind: "versions", key: "tea", order, limit: 1, ...(after !== undefined && { after }) } as const
        const one = running.query(prices, query).partitions.get(0)!
        if (!one.ok) throw new Error(one.message)
        found.push(...one.result.rows.map(({ value }) => value))
        after = one.result.next
      } while (after !== undefined)
      expect(found).toEqual(order === "asc" ? [2, 3, 5] : [5, 3, 2])
    }
  })

  test("Q5 S2: ranges of keys are of their latest versions", () => {
    const store = running.store(prices)
    const keys = (found: Iterable<S.Row<string, number>>) => [...found].map(({ key, value }) => [key, value])
    expect(keys(store.all())).toEqual([
      ["ale", 9],
      ["tea", 5],
    ])
    expect(keys(store.range({ from: "b" }))).toEqual([["tea", 5]])
    expect(keys(store.prefix("al", { order: "desc" }))).toEqual([["ale", 9]])
  })

  test("Q5 S2: a store without versions refuses to be asked for them", () => {
    const [windows] = running.query(prices, { kind: "windows", key: "tea" }).partitions.values()
    expect(windows).toMatchObject({ ok: false, reason: "UNKNOWN_QUERY_TYPE" })
  })

  test("Q5 S2: over HTTP", async () => {
    const get = async (path: string) => {
      const response = await fetch(`http://${running.endpoint}/stores/prices${path}`)
      return { status: response.status, body: (await response.json()) as any }
    }
    expect((await get("/tea?asOf=250")).body).toMatchObject({ value: 2, timestamp: 200, validTo: 300 })
    expect((await get("/tea?asOf=450")).status).toBe(404)
    expect((await get("/tea")).body).toMatchObject({ value: 5 })
    const { rows } = (await get("/tea?from=250&to=300")).body
    expect(rows.map((row: any) => row.value)).toEqual([2, 3])
    const all = (await get("")).body.partitions[0].rows
    expect(all.map((row: any) => row.key)).toEqual(["ale", "tea"])
  })

  test("changes of a versioned table are those of its latest versions, and nothing of what is forgotten", async () => {
    await send("gin", 4, 500_000)
    await send("gin", 5, 900_000)
    expect([...running.store(prices).versions("tea")].map(({ value }) => value)).toEqual([5])
    expect(changes).toEqual([
      ["tea", 1],
      ["tea", 3],
      ["tea", undefined],
      ["tea", 5],
      ["ale", 9],
      ["rum", 7],
      ["rum", undefined],
      ["gin", 4],
      ["gin", 5],
    ])
  })
}

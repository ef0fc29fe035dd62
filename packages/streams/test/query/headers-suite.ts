/**
 * Rows that keep the headers of their records, asked for with them (KIP-1356), against a broker, whichever it is: in process,
 * over HTTP, from copies, as changes; and what becomes of them when headers are switched on and off, or the disk is lost.
 */
import { json, string } from "@millrace/schema"
import { rmSync } from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "../run/bench.ts"

const of = (...values: string[]): S.Headers => values.map((value) => ({ key: "h", value: Buffer.from(value) }))
const told = (headers: S.Headers | undefined) => headers?.map(({ value }) => Buffer.from(value!).toString())
/** As JSON has them. */
const asJson = (...values: string[]) =>
  values.map((value) => ({ key: "h", value: { base64: Buffer.from(value).toString("base64") } }))

export function headersSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  describe("two processes", () => {
    const Users = S.topic(named("iq-headers"), { key: string, value: json<number>() })
    const Countries = S.topic(named("iq-headers-all"), { key: string, value: json<string>() })
    const users = S.table(Users, { store: "users", headers: true })
    const countries = S.globalTable(Countries, { store: "countries", headers: true })
    const Seen = S.windowStore("seen", { key: string, value: json<number>(), retention: 1_000, headers: true })
    const pipeline = S.pipeline(named("iq-headers-app"), () => [
      users,
      S.stream(Users).pipe(
        S.processValues("see", { stores: { seen: Seen } }, ({ stores }) => ({
          process({ key, value, timestamp }) {
            stores.seen.put(key, Math.floor(timestamp / 100) * 100, value)
          },
        })),
        S.leftJoinGlobalTable(
          countries,
          (_, { key }) => key,
          (value, country) => [value, country ?? null],
        ),
        S.forEach(() => {}),
      ),
      S.stream(Users).pipe(S.count("counts")),
    ])
    const keys = ["ann", "bob", "cid", "dora", "eva"]
    let running: S.RunHandle[]
    const changes = new Map<string, unknown[]>()

    beforeAll(async () => {
      await bench.createTopics({ "iq-headers": 2, "iq-headers-all": 1 })
      await bench.produce(Countries, [["ann", "it", 1, of("global")]])
      // Both rows in the engine and those in memory are read.
      const options = {
        standbyReplicas: 1,
        flushLimits: { memtableBytesMax: 1, memtableAgeMs: 1 },
        queries: { listen: "127.0.0.1:0" },
      }
      running = await Promise.all([1, 2].map((at) => S.run(pipeline, bench.options(`iq-headers-${at}`, options))))
      await eventually("each runs one task and copies the other", () =>
        running.every((one) => one.metrics().tasks === 1 && one.metrics().standbyTasks === 1),
      )
      for (const one of running)
        one.changes(users).subscribe(({ key, value, headers }) => {
          changes.set(key, [...(changes.get(key) ?? []), [value, told(headers)]])
        })
      await bench.produce(
        Users,
        keys.map((key, at) => [key, at, at * 100, at === 2 ? [] : of(key, String(at))] as const),
      )
      await eventually("all rows are there", () => rowsOf(users).length === keys.length)
      await eventually("all copies are", () =>
        running.every((one) => rowsIn(one, { allowStale: true }).length === keys.length),
      )
    }, 60_000)
    afterAll(async () => {
      for (const one of running) await one.close()
    })

    const rowsIn = (one: S.RunHandle, options: S.QueryOptions) =>
      [...one.query(users, { kind: "range" }, options).partitions.values()].flatMap((found) =>
        found.ok ? found.result.rows : [],
      )
    const rowsOf = (of: S.Table<string, number>) => running.flatMap((one) => [...one.store(of).all()])
    const get = async (process: number, path: string) => {
      const response = await fetch(`http://${running[process]!.endpoint}${path}`)
      return { status: response.status, body: (await response.json()) as any }
    }
    const expected = keys.map((key, at) => [key, at, at * 100, at === 2 ? [] : [key, String(at)]] as const)
    const shown = (rows: Iterable<S.Row<any, any>>) =>
      [...rows]
        .map(({ key, value, timestamp, headers }) => [key, value, timestamp, told(headers)] as const)
        .sort(([left], [right]) => (String(left) < String(right) ? -1 : 1))

    test("Q11: a key and a range are answered with headers, empty where the record had none", () => {
      expect(shown(rowsOf(users))).toEqual(expected)
      for (const [key, ...rest] of expected) {
        const answers = running.flatMap((one) => {
          const { partitions } = one.store(users)
          return [...one.query(users, { kind: "key", key } as const, { partitions }).partitions.values()]
        })
        expect(shown(answers.flatMap((one) => (one.ok && one.result ? [one.result] : [])))).toEqual([[key, ...rest]])
      }
    })

    test("Q11: windows of a key, and of all keys, are answered with headers", async () => {
      const windows = running.flatMap((one) => [...one.store("seen").fetchAll()])
      const found = windows.map(({ key, value, headers }) => [
        (key as any).key,
        (key as any).start,
        value,
        told(headers),
      ])
      expect(found.sort(([left], [right]) => (left < right ? -1 : 1))).toEqual(
        expected.map(([key, value, timestamp, headers]) => [key, timestamp, value, headers]),
      )
      for (const process of [0, 1]) {
        const { body } = await get(process, "/stores/seen/bob?from=0&to=900")
        expect(body.rows).toMatchObject([{ key: { key: "bob", start: 100 }, value: 1, headers: asJson("bob", "1") }])
        const whole = await get(process, "/stores/seen?from=300&to=300")
        const rows = whole.body.partitions.flatMap((one: any) => one.rows)
        expect(rows).toMatchObject([{ key: { key: "dora" }, headers: asJson("dora", "3") }])
      }
    })

    test("Q11 Q2: whichever process is asked over HTTP, headers come with the row, their values as base64", async () => {
      for (const process of [0, 1]) {
        expect((await get(process, "/stores/users/ann")).body).toMatchObject({ value: 0, headers: asJson("ann", "0") })
        expect((await get(process, "/stores/users/cid")).body).toMatchObject({ value: 2, headers: [] })
        const { body } = await get(process, "/stores/users?from=bob&to=bob")
        const rows = body.partitions.flatMap((one: any) => one.rows)
        expect(rows).toEqual([{ key: "bob", value: 1, timestamp: 100, headers: asJson("bob", "1") }])
      }
    })

    test("Q11 Q9 S7: copies have them too", () => {
      for (const one of running) expect(shown(rowsIn(one, { allowStale: true }))).toEqual(expected)
    })

    test("Q11: so have global tables", async () => {
      for (const process of [0, 1])
        expect((await get(process, "/stores/countries/ann")).body).toMatchObject({
          value: "it",
          headers: asJson("global"),
        })
    })

    test("Q11: rows of a store that keeps none say nothing of headers", async () => {
      expect((await get(0, "/stores/counts/ann")).body).toMatchObject({ value: 1 })
      expect((await get(0, "/stores/counts/ann")).body).not.toHaveProperty("headers")
      for (const row of running.flatMap((one) => [...one.store("counts").all()]))
        expect(Object.keys(row)).toEqual(["key", "value", "timestamp"])
    })

    test("Q11: changes of a table tell them", async () => {
      await bench.produce(Users, [
        ["ann", 7, 500, of("later")],
        ["bob", null, 500, of("gone")],
      ])
      await eventually(
        "both changes are told",
        () => changes.get("ann")?.length === 2 && changes.get("bob")?.length === 2,
      )
      expect(changes.get("ann")).toEqual([
        [0, ["ann", "0"]],
        [7, ["later"]],
      ])
      expect(changes.get("bob")).toEqual([
        [1, ["bob", "1"]],
        [undefined, undefined],
      ])
    })
  })

  test("S3: headers are switched on, and off again, over the state that is there; a lost disk is restored with them", async () => {
    const Users = S.topic(named("headers-switched"), { key: string, value: json<number>() })
    await bench.createTopics({ "headers-switched": 1 })
    const users = (headers: boolean) => S.table(Users, { store: "users", headers })
    let restored = 0
    /** Runs over what the last run left, writes, and answers the rows. */
    const runs = async (
      headers: boolean,
      rows: number,
      ...records: (readonly [string, number | null, number, S.Headers])[]
    ) => {
      const table = users(headers)
      await using handle = await S.run(
        S.pipeline(named("headers-switched-app"), () => table),
        bench.options("headers-switched"),
      )
      await bench.produce(Users, records)
      const last = records.at(-1)
      const isThere = () => {
        const store = handle.store(table)
        if (store.partitions.length === 0) return false
        const found = [...store.all()]
        return found.length === rows && (last === undefined || found.some((row) => row.timestamp === last[2]))
      }
      await eventually("it is processed", isThere)
      restored = handle.metrics().restoredRecords
      return [...handle.store(table).all()].map(({ key, value, headers }) => [key, value, told(headers)])
    }
    expect(await runs(false, 2, ["a", 1, 1, of("x")], ["b", 2, 2, of("x")])).toEqual([
      ["a", 1, undefined],
      ["b", 2, undefined],
    ])
    expect(await runs(true, 3, ["b", 3, 3, of("y")], ["c", 4, 4, of("z", "z2")])).toEqual([
      ["a", 1, []],
      ["b", 3, ["y"]],
      ["c", 4, ["z", "z2"]],
    ])
    expect(restored).toBe(0)
    rmSync(path.join(bench.directory, "headers-switched"), { recursive: true })
    expect(await runs(true, 3)).toEqual([
      ["a", 1, []],
      ["b", 3, ["y"]],
      ["c", 4, ["z", "z2"]],
    ])
    expect(restored).toBeGreaterThan(0)
    expect(await runs(false, 3, ["c", 5, 5, of("w")])).toEqual([
      ["a", 1, undefined],
      ["b", 3, undefined],
      ["c", 5, undefined],
    ])
    expect(restored).toBe(0)
    expect(await runs(true, 3)).toEqual([
      ["a", 1, []],
      ["b", 3, ["y"]],
      ["c", 5, []],
    ])
  }, 60_000)
}

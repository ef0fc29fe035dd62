/**
 * Queries over HTTP between two processes, against a broker, whichever it is.
 */
import { int32, json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "../run/bench.ts"

const QUERIES = { queries: { listen: "127.0.0.1:0" } }

export function httpSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  let running: S.RunHandle[]
  const Users = S.topic(named("http-users"), { key: string, value: json<{ age: number }>() })
  const Visits = S.topic(named("http-visits"), { key: int32, value: json<number>() })
  const users = S.table(Users, { store: "users" })
  const visits = S.stream(Visits).pipe(S.window(S.tumbling(10, { grace: 1_000 })), S.count("visits"))
  const pipeline = S.pipeline(named("http-app"), () => [users, visits])
  const names = Array.from({ length: 12 }, (_, at) => (at === 5 ? "a/b c?é" : `user-${at}`))

  beforeAll(async () => {
    bench = await start()
    await bench.createTopics({ "http-users": 4, "http-visits": 2 })
    running = [
      await S.run(pipeline, bench.options("http-1", QUERIES)),
      await S.run(pipeline, bench.options("http-2", QUERIES)),
    ]
    await eventually("both have tasks", () => running.every((one) => one.metrics().tasks === 3))
    await bench.produce(
      Users,
      names.map((name, age) => [name, { age }, age]),
    )
    await bench.produce(Visits, [
      [7, 1, 1],
      [7, 1, 2],
      [7, 1, 15],
      [8, 1, 3],
    ])
    await eventually("all is processed", async () => {
      const found = await get(0, "/stores/users")
      const seen = found.body.partitions.flatMap((one: any) => one.rows ?? [])
      const counted = await get(0, "/stores/visits")
      const windows = counted.body.partitions.flatMap((one: any) => one.rows ?? [])
      return seen.length === names.length && windows.length === 3
    })
  }, 60_000)
  afterAll(async () => {
    for (const one of running) await one.close()
    await bench.close()
  })

  async function get(process: number, path: string): Promise<{ status: number; body: any }> {
    const response = await fetch(`http://${running[process]!.endpoint}${path}`)
    return { status: response.status, body: await response.json() }
  }

  test("Q2: whichever process is asked, the one that has the key answers", async () => {
    for (const process of [0, 1]) {
      for (const [age, name] of names.entries()) {
        const found = await get(process, `/stores/users/${encodeURIComponent(name)}`)
        expect(found).toMatchObject({ status: 200, body: { key: name, value: { age }, timestamp: age } })
      }
    }
    const here = names.map((name) => running[0]!.metadataForKey(users, name))
    expect(new Set(here.map(({ endpoint }) => endpoint))).toEqual(new Set(running.map(({ endpoint }) => endpoint)))
    for (const { isHere, endpoint } of here) expect(isHere).toBe(endpoint === running[0]!.endpoint)
  })

  test("Q2: rows of all processes, by partition", async () => {
    const { status, body } = await get(1, "/stores/users?from=user-1&to=user-2")
    expect([status, body.partitions.map(({ partition }: any) => partition)]).toEqual([200, [0, 1, 2, 3]])
    const keys = body.partitions.flatMap(({ rows }: any) => rows.map(({ key }: any) => key))
    expect(keys.sort()).toEqual(["user-1", "user-10", "user-11", "user-2"])
    const local = await get(1, "/stores/users?local=true")
    expect(local.body.partitions.filter(({ error }: any) => error === "NOT_PRESENT")).toHaveLength(
      4 - running[1]!.store(users).partitions.length,
    )
  })

  test("Q3: an answer cut by its limit is continued, wherever the partition is", async () => {
    for (const partition of [0, 1, 2, 3]) {
      const whole = (await get(0, `/stores/users?partition=${partition}`)).body.partitions[0].rows
      const found: unknown[] = []
      for (let after = ""; ;) {
        const { body } = await get(0, `/stores/users?partition=${partition}&limit=1${after}`)
        found.push(...body.partitions[0].rows)
        if (body.partitions[0].next === undefined) break
        after = `&after=${body.partitions[0].next}`
      }
      expect(found).toEqual(whole)
    }
  })

  test("Q4: windows of a key, and keys that are numbers", async () => {
    const found = await get(0, "/stores/visits/7")
    expect(found.body.rows).toEqual([
      { key: { key: 7, start: 0, end: 10 }, value: 2, timestamp: 2 },
      { key: { key: 7, start: 10, end: 20 }, value: 1, timestamp: 15 },
    ])
    expect((await get(1, "/stores/visits/7?start=10")).body).toMatchObject({ value: 1 })
    expect((await get(1, "/stores/visits/7?from=5")).body.rows).toHaveLength(1)
    expect(await get(1, "/stores/visits/9"), "a range is empty").toMatchObject({ status: 200, body: { rows: [] } })
    const instants = "from=1970-01-01T02:00:00.005%2B02:00&to=1970-01-01T00:00:01Z"
    expect((await get(1, `/stores/visits/7?${instants}`)).body.rows).toMatchObject([{ key: { start: 10 } }])
    expect((await get(1, "/stores/visits/7?start=1970-01-01T02:00:00.010+02:00")).body).toMatchObject({ value: 1 })
    expect((await get(1, "/stores/visits/AAAACA==?keyEncoding=base64")).body.rows).toMatchObject([{ key: { key: 8 } }])
  })

  test("Q2: the application tells its stores and processes", async () => {
    const { body } = await get(0, "/")
    expect(body).toMatchObject({ applicationId: named("http-app"), state: "running" })
    expect(body.processes.map(({ endpoint }: any) => endpoint).sort()).toEqual(
      running.map((one) => one.endpoint).sort(),
    )
    const stores = (await get(0, "/stores")).body
    expect(stores.map(({ name, kind, partitions }: any) => [name, kind, partitions])).toEqual([
      ["users", "key-value", 4],
      ["visits", "window", 2],
    ])
  })

  test.each([
    ["a store that is not there", "/stores/none", 404, /no store "none"; its stores: "users", "visits"/],
    ["a key of a store that is not there", "/stores/none/a", 404, /no store "none"/],
    ["a key without a row", "/stores/users/nobody", 404, /no such key/],
    ["a window that is not there", "/stores/visits/9?start=0", 404, /no such key/],
    ["a partition beyond the last", "/stores/users?partition=9", 404, /it has 4 partitions/],
    ["a key of another type", "/stores/visits/ann", 400, /expected an integer of 32 bits/],
    ["a limit that is none", "/stores/users?limit=many", 400, /limit many: expected a whole number/],
    ["a time without its zone", "/stores/visits?from=1970-01-01T00:00", 400, /with its time zone/],
    ["a day that is none", "/stores/visits?to=1970-02-31T25:00Z", 400, /milliseconds of the epoch/],
    ["an order that is none", "/stores/users?order=up", 400, /order up: asc or desc/],
    ["a bound that is none", "/stores/users?bound=5", 400, /5 is no position/],
    ["a path that is none", "/tables", 404, /404/],
  ])("refuses %s", async (_, path, status, message) => {
    const found = await get(0, path)
    expect([found.status, found.body.message]).toEqual([status, expect.stringMatching(message)])
  })

  test("Q6: a bound that another process has not reached is refused by it", async () => {
    const bound = encodeURIComponent(JSON.stringify({ [Users.name]: { 0: 1e6, 1: 1e6, 2: 1e6, 3: 1e6 } }))
    for (const name of names) {
      const { status, body } = await get(0, `/stores/users/${encodeURIComponent(name)}?bound=${bound}`)
      expect([status, body.error]).toEqual([412, "NOT_UP_TO_BOUND"])
    }
  })

  test("a process that restarts on another port is found again", async () => {
    const before = running[1]!.endpoint
    await running[1]!.close()
    running[1] = await S.run(pipeline, bench.options("http-2", QUERIES))
    expect(running[1].endpoint).not.toBe(before)
    await eventually("both have tasks", () => running.every((one) => one.metrics().tasks === 3))
    await eventually("both know each other", () => running.every((one) => one.allMetadata().length === 2))
    await eventually("every key is found", async () => {
      const found = await Promise.all(names.map((name) => get(0, `/stores/users/${encodeURIComponent(name)}`)))
      return found.every(({ status }) => status === 200)
    })
  })

  test.each([
    ["x", /queries.listen x: expected HOST:PORT/],
    ["0.0.0.0:0", /is no address to reach it by/],
  ])("listening at %s is refused", async (listen, message) => {
    await expect(S.run(pipeline, bench.options("http-3", { queries: { listen } }))).rejects.toThrow(message)
  })
}

/**
 * Copies of tasks' state that are read where a query allows it, against a broker, whichever it is.
 */
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually, named } from "../run/bench.ts"

export function staleSuite(start: () => Promise<Bench>): void {
  let bench: Bench
  beforeAll(async () => {
    bench = await start()
  })
  afterAll(() => bench.close())

  /** A table of users by two tasks, each with a copy, in processes that answer queries. */
  async function copied(name: string) {
    const Users = S.topic(named(name), { key: string, value: json<number>() })
    const users = S.table(Users, { store: "users" })
    await bench.createTopics({ [name]: 2 })
    const pipeline = S.pipeline(named(`${name}-app`), () => users)
    const keys = Array.from({ length: 20 }, (_, at) => `user-${at}`)
    return {
      Users,
      users,
      keys,
      run: (process: number) =>
        S.run(
          pipeline,
          bench.options(`${name}-${process}`, { standbyReplicas: 1, queries: { listen: "127.0.0.1:0" } }),
        ),
      write: (value: number) =>
        bench.produce(
          Users,
          keys.map((key) => [key, value, value] as const),
        ),
    }
  }

  test("Q9 Q10: copies are read where a query says so, and tell how much they lack", async () => {
    const { Users, users, keys, run, write } = await copied("iq-copied")
    await using first = await run(1)
    await using second = await run(2)
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
    const since = Date.now()
    await eventually("its end is looked for again", () => {
      const found = ask({ allowStale: true })
      return found?.ok === true && found.seenAt! > since
    })
    expect(ask({ allowStale: true })).toMatchObject({ ok: true, position: {}, lag: 0 })
    const active = second.query(users, { kind: "range" }, { partitions: [own!], allowStale: true }).partitions.get(own!)
    expect(active).not.toHaveProperty("lag")
    const bound = { [Users.name]: { [other]: 0 } }
    expect(ask({ allowStale: true, bound })).toMatchObject({ ok: false, reason: "NOT_UP_TO_BOUND" })

    const { key } = rowsOf(second, { allowStale: true }).find(({ partition }) => partition === other)!
    const path = `/stores/users/${key}`
    expect((await get(`${path}?local=true`)).status).toBe(503)
    const stale = (await get(`${path}?local=true&allowStale=true`)).body
    expect(stale).toMatchObject({ key, value: 1, lag: 0, seenAt: expect.any(Number) })
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
    const { users, keys, run, write } = await copied("iq-away")
    await using first = await run(1)
    await using second = await run(2)
    await using third = await run(3)
    const all = [first, second, third]
    await write(1)
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

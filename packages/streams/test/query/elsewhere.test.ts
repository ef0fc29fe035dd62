/** Who is asked next when a process that should have a partition does not answer well: between two processes of one's own. */
import type { HttpRequest } from "@millrace/host/node/http"
import { nodeHost } from "@millrace/host/node"
import { json, string } from "@millrace/schema"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Forwarder } from "../../src/query/forward.ts"
import { type ProcessQueries, queryRoutes } from "../../src/query/http-routes.ts"
import { StorePlaces } from "../../src/query/places.ts"
import type { QueryResult } from "../../src/query/query.ts"
import { StoreDirectory } from "../../src/query/stores.ts"
import { makeTopology } from "../../src/topology/topology.ts"

const Users = S.topic("users", { key: string, value: json<number>() })
const topology = makeTopology(S.pipeline("app", () => S.table(Users, { store: "users" })).plan, "app")
const places = {
  topology,
  stores: new StoreDirectory(topology, (serde) => serde),
  partitions: new Map([["users", 1]]),
  endpoints: () => ({ "a:1": { active: ["0_0"], standby: [] }, "b:1": { active: [], standby: ["0_0"] } }),
  state: () => "running" as const,
}

/** A process that has nothing itself. */
class Elsewhere extends StorePlaces implements ProcessQueries {
  override isHere(): boolean {
    return false
  }
  partitionsHere(): readonly number[] {
    return []
  }
  ask(): Promise<QueryResult<any>> {
    return Promise.resolve({ partitions: new Map(), position: {} })
  }
}

interface Answered {
  readonly status: number
  readonly body: any
}

/** Asks for the key or the rows while process a, which runs the task, answers so; process b has a copy. */
async function ask(what: "key" | "rows", a: Answered): Promise<Answered & { readonly asked: readonly string[] }> {
  const row = { key: "ann", value: 1, timestamp: 1 }
  const b = what === "key" ? { partition: 0, ...row } : { store: "users", partitions: [{ partition: 0, rows: [row] }] }
  const asked: string[] = []
  const forwarder = new Forwarder(nodeHost.clock, async (url) => {
    const { host } = new URL(url)
    asked.push(host)
    const { status, body } = host === "a:1" ? a : { status: 200, body: b }
    return new Response(JSON.stringify(body), { status })
  })
  const routes = queryRoutes({
    ...{ applicationId: "app", state: () => "running", lags: async () => [] },
    metrics: () => {
      throw new Error("nobody asks for them")
    },
    queries: new Elsewhere(places),
    forwarder,
  })
  const path = what === "key" ? "/stores/users/ann" : "/stores/users"
  const route = routes.find((one) => one.path === (what === "key" ? "/stores/:name/:key" : "/stores/:name"))!
  const query = new URLSearchParams({ allowStale: "true", partition: "0" })
  const request = { path, query, params: { name: "users", key: "ann" } } as unknown as HttpRequest
  const answer = await route.handle(request)
  return { status: answer.status, body: JSON.parse(String(answer.body)), asked }
}

const failed = (error: string) => ({ error, message: "so it is" })

test.each([
  ["is starting", 503, failed("HTTP")],
  ["cannot read its store now", 503, failed("STORE_EXCEPTION")],
  ["fails", 500, failed("STORE_EXCEPTION")],
  ["restores the task", 503, failed("NOT_ACTIVE")],
  ["has it not", 503, failed("NOT_PRESENT")],
])(
  "Q2 Q9: a copy elsewhere is asked when the process with the task %s, for a key and for rows",
  async (_, status, body) => {
    expect(await ask("key", { status, body })).toMatchObject({ status: 200, body: { value: 1 }, asked: ["a:1", "b:1"] })
    expect(await ask("rows", { status, body })).toMatchObject({
      status: 200,
      body: { partitions: [{ partition: 0, rows: [{ value: 1 }] }] },
      asked: ["a:1", "b:1"],
    })
  },
)

test("Q2 Q9: of rows each partition is looked for where it is away", async () => {
  const away = { partitions: [{ partition: 0, ...failed("NOT_ACTIVE") }] }
  expect((await ask("rows", { status: 200, body: away })).asked).toEqual(["a:1", "b:1"])
  expect((await ask("rows", { status: 200, body: { partitions: [] } })).asked).toEqual(["a:1", "b:1"])
})

test.each([
  [400, failed("BAD_REQUEST")],
  [400, failed("STORE_EXCEPTION")],
  [412, failed("NOT_UP_TO_BOUND")],
])("Q6 Q7: what is answered with %i is the answer, for a key and for rows", async (status, body) => {
  expect(await ask("key", { status, body })).toMatchObject({ status, body, asked: ["a:1"] })
  expect(await ask("rows", { status, body })).toMatchObject({ status, body, asked: ["a:1"] })
})

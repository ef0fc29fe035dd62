/**
 * How stores are kept (S1, S4, S5): without a changelog, in memory alone, with configs of one's own.
 */
import { json, string } from "@millrace/schema"
import { embeddedBroker, TestDriver } from "@millrace/testing"
import { nodeHost } from "@millrace/host/node"
import { expect, test } from "vitest"
import * as S from "../../src/index.ts"

const In = S.topic("in", { key: string, value: json<number>() })

const sums = (keeping: S.StoreKeeping) => {
  const Sums = S.keyValueStore("sums", { key: string, value: json<number>(), ...keeping })
  return S.pipeline("app", () => [
    S.stream(In).pipe(
      S.processValues("sum", { stores: { sums: Sums } }, ({ stores }) => ({
        process: ({ key, value }) => stores.sums.put(key, (stores.sums.get(key) ?? 0) + value),
      })),
      S.forEach(() => {}),
    ),
  ])
}

const after = async (keeping: S.StoreKeeping, loseEngines: boolean) => {
  await using driver = await TestDriver.start(sums(keeping))
  driver.send(In, { key: "a", value: 2, timestamp: 1 }, { key: "a", value: 3, timestamp: 2 })
  await driver.run()
  const before = driver.rows("sums").map(({ value }) => value)
  await driver.crash({ loseEngines })
  return {
    before,
    after: driver.rows("sums").map(({ value }) => value),
    logged: driver.cluster.logs("app-sums-changelog")[0]!.entries.length > 0,
  }
}

test("S5: a store without logging writes no changelog and begins empty where its task is opened", async () => {
  expect(await after({ logging: false }, false)).toEqual({ before: [5], after: [], logged: false })
})

test("S1: a store in memory is restored from its changelog", async () => {
  expect(await after({ inMemory: true }, true)).toEqual({ before: [5], after: [5], logged: true })
})

test("S4 S5: changelogs are compacted and take the configs given; a store without logging has none", async () => {
  await using broker = await embeddedBroker()
  const admin = broker.client().admin()
  await admin.createTopics([{ name: "in", partitions: 1 }])
  const pipeline = S.pipeline("app", () => [
    S.table(In, { logging: { "min.compaction.lag.ms": "77" } }),
    S.stream(In).pipe(S.toTable("plain")),
    S.stream(In).pipe(S.toTable("unlogged", { logging: false })),
  ])
  await using handle = await S.run(pipeline, { host: nodeHost, brokers: broker.brokers })
  expect(handle.applicationId).toBe("app")
  const [found, configs] = [
    await admin.listTopics(),
    await admin.describeConfigs([
      { type: "topic", name: "app-in-changelog" },
      { type: "topic", name: "app-plain-changelog" },
    ]),
  ]
  expect(
    found
      .map((topic: any) => topic.name ?? topic)
      .filter((name: string) => name.endsWith("-changelog"))
      .sort(),
  ).toEqual(["app-in-changelog", "app-plain-changelog"])
  const value = (at: number, name: string) => configs[at]!.configs.find((one: any) => one.name === name)?.value
  expect([value(0, "cleanup.policy"), value(0, "min.compaction.lag.ms")]).toEqual(["compact", "77"])
  expect([value(1, "cleanup.policy"), value(1, "min.compaction.lag.ms")]).toEqual(["compact", "0"])
})

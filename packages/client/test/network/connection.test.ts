import { expect, test } from "vitest"
import { NetError } from "@millrace/host"
import { TimeoutError, UnsupportedVersionError } from "../../src/index.ts"
import { backoffDelay } from "../../src/network/backoff.ts"
import { BrokerVersions } from "../../src/network/versions.ts"
import { ScriptedBroker } from "../support/scripted-broker.ts"

const api = { key: 1, name: "Fetch", minVersion: 4, maxVersion: 17 }
const versions = (min: number, max: number) => new BrokerVersions(new Map([[1, { min, max }]]), new Map())

test.each([
  [0, 20, undefined, undefined, 17],
  [0, 11, undefined, undefined, 11],
  [0, 20, 12, undefined, 12],
  [5, 20, undefined, 13, 17],
])("broker %i to %i, cap %s, floor %s: version %i", (min, max, cap, floor, expected) => {
  expect(versions(min, max).choose(api, cap, floor)).toBe(expected)
})

test.each([
  [0, 3, undefined, undefined],
  [18, 20, undefined, undefined],
  [0, 12, undefined, 13],
  [13, 20, 12, undefined],
])("broker %i to %i, cap %s, floor %s: refused", (min, max, cap, floor) => {
  expect(() => versions(min, max).choose(api, cap, floor)).toThrow(UnsupportedVersionError)
})

test("backoff doubles up to its limit, give or take a fifth", () => {
  const delays = (float: number) => {
    const random = { float: () => float, int: () => 0, bytes: () => new Uint8Array() }
    return [0, 1, 2, 10, 1000].map((attempt) => backoffDelay({ initialMs: 100, maxMs: 1000 }, attempt, random))
  }
  expect(delays(0.5)).toEqual([100, 200, 400, 1000, 1000])
  expect(delays(0)).toEqual([80, 160, 320, 800, 800])
})

test("a broker that does not know our ApiVersions is asked in its own version", async () => {
  const broker = new ScriptedBroker()
  const usual = broker.handlers.get("ApiVersions")!
  broker.handlers.set("ApiVersions", (body, version) => {
    if (version <= 3) return usual(body, version)
    return { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }] }
  })
  const client = await broker.client()
  expect((await client.admin().describeCluster()).clusterId).toBe("scripted")
  expect(broker.named("ApiVersions").at(-1)!.version).toBe(3)
  await client.close()
})

test("a request without an answer times out, ends the connection, and is tried again", async () => {
  const broker = new ScriptedBroker()
  broker.script("Metadata", () => "silence")
  const client = await broker.client({ requestTimeoutMs: 1000 })
  expect((await client.admin().describeCluster()).clusterId).toBe("scripted")
  expect(broker.named("ApiVersions").length).toBe(2)
  await client.close()
})

test("when nothing answers in time, the error says what was tried", async () => {
  const broker = new ScriptedBroker()
  broker.handlers.set("Metadata", () => "cut")
  const client = await broker.client({ defaultApiTimeoutMs: 5000 })
  const error = await client
    .admin()
    .describeCluster()
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TimeoutError)
  expect((error as Error).message).toMatch(/describing the cluster did not succeed within 5000 ms/)
  expect((error as Error).cause).toBeInstanceOf(NetError)
  await client.close()
})

test("nobody there", async () => {
  const broker = new ScriptedBroker()
  const client = await broker.client({ brokers: "elsewhere:1", defaultApiTimeoutMs: 2000 })
  await expect(client.admin().describeCluster()).rejects.toThrow(/cannot connect to elsewhere:1/)
  await client.close()
})

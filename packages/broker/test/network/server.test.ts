/** Connections that wait for a place, and those that are idle: KIP-402. */
import { nodeHost } from "@millrace/host/node"
import { IncrementalAlterConfigs } from "@millrace/protocol/messages/incremental-alter-configs"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { describe, expect, test } from "vitest"
import { pass, settled, startClock } from "../coordinator/passing-time.ts"
import { Client, start } from "../harness.ts"

const request = (client: Client) => client.send(Metadata, 12, { topics: null })

/** Whoever was answered, in order, of clients that each ask once. */
function answers() {
  const answered: string[] = []
  return { answered, ask: (client: Client, name: string) => request(client).then(() => answered.push(name)) }
}

async function raise(client: Client, connectionsMax: number) {
  const configs = [{ name: "max.connections", configOperation: 0, value: String(connectionsMax) }]
  await client.send(IncrementalAlterConfigs, 1, {
    resources: [{ resourceType: 4, resourceName: "", configs }],
    validateOnly: false,
  })
}

/** Listeners INSIDE and ADMIN, of a broker whose time stands still unless it is moved. */
async function withListeners(config: Record<string, string>) {
  const clock = startClock()
  const listeners = "INSIDE://broker:9092,ADMIN://broker:9093"
  const map = "INSIDE:PLAINTEXT,ADMIN:PLAINTEXT"
  const all = { listeners, "listener.security.protocol.map": map, ...config }
  const started = await start(all, { host: { ...nodeHost, clock } })
  const on = (port: number) => () => Client.connect(started.net, { address: { host: "broker", port } })
  return { ...started, clock, inside: on(9092), admin: on(9093) }
}

describe("connections that wait for a place", () => {
  test("are answered once another ends, in the order they came", async () => {
    const started = await start({ "max.connections": "1" })
    const [first, second, third] = [await started.client(), await started.client(), await started.client()]
    const { answered, ask } = answers()
    const waiting = [ask(second, "second"), ask(third, "third")]
    await ask(first, "first")
    expect(answered).toEqual(["first"])
    const waits = started.messages.filter((line) => line.includes("waits"))
    expect(waits).toHaveLength(2)
    for (const line of waits) expect(line).toContain("waits: max.connections is reached")
    first.destroy()
    await waiting[0]
    expect(answered).toEqual(["first", "second"])
    second.destroy()
    await waiting[1]
    expect(started.messages.some((line) => line.includes("refused"))).toBe(false)
  })

  test("are let in by when they came, whichever listener they came to", async () => {
    const { inside, admin } = await withListeners({ "max.connections": "1" })
    const first = await inside()
    const { answered, ask } = answers()
    const [second, third, fourth] = [await inside(), await admin(), await inside()]
    const waiting = [ask(second, "second"), ask(third, "third"), ask(fourth, "fourth")]
    first.destroy()
    await Promise.race(waiting)
    second.destroy()
    await Promise.race(waiting.slice(1))
    third.destroy()
    await waiting[2]
    expect(answered).toEqual(["second", "third", "fourth"])
  })

  test("at the limit of their own listener let others pass, who came later", async () => {
    const limits = { "max.connections": "2", "listener.name.inside.max.connections": "1" }
    const { inside, admin, messages } = await withListeners(limits)
    await inside()
    const second = await inside()
    expect(messages.at(-1)).toContain("waits: max.connections of listener INSIDE is reached")
    const third = await admin()
    const fourth = await admin()
    expect(messages.at(-1)).toContain("waits: max.connections is reached")
    const { answered, ask } = answers()
    void ask(second, "second").catch(() => {})
    const asked = ask(fourth, "fourth")
    third.destroy()
    await asked
    expect(answered).toEqual(["fourth"])
  })

  test("are let in when max.connections is raised while the broker runs", async () => {
    const started = await start({ "max.connections": "1" })
    const [first, second] = [await started.client(), await started.client()]
    const answer = request(second)
    await raise(first, 2)
    expect(await answer).toMatchObject({ controllerId: 1 })
  })

  test("are let in before one that comes when max.connections was raised already", async () => {
    const { inside, admin, messages } = await withListeners({ "max.connections": "1" })
    const [first, second] = [await inside(), await inside()]
    await raise(first, 2)
    const third = await admin()
    const { answered, ask } = answers()
    void ask(third, "third").catch(() => {})
    await ask(second, "second")
    expect(answered).toEqual(["second"])
    expect(messages.at(-1)).toContain("waits: max.connections is reached")
  })

  test("are bounded: further ones are closed; who gives up leaves its place", async () => {
    const started = await start({ "listener.name.plaintext.max.connections": "1" })
    await started.client()
    const waiting = []
    for (let count = 0; count < 50; count++) waiting.push(await started.client())
    const oneMore = await started.client()
    await oneMore.whenClosed()
    const reason = "max.connections of listener PLAINTEXT is reached"
    expect(started.messages.at(-1)).toContain(`${reason}, and 50 wait for a place already`)
    for (const line of started.messages.filter((line) => line.includes("waits"))) expect(line).toContain(reason)
    waiting[0]!.destroy()
    await waiting[0]!.whenClosed()
    const another = await started.client()
    expect([another.closed, waiting[1]!.closed]).toEqual([false, false])
  })

  test("cannot be less than none: a listener's limit below 0 stops the start", async () => {
    await expect(start({ "listener.name.plaintext.max.connections": "-1" })).rejects.toThrow("max.connections")
  })
})

describe("an idle connection", () => {
  test("is closed after connections.max.idle.ms", async () => {
    const client = await (await start({ "connections.max.idle.ms": "20" })).client()
    await client.whenClosed()
    expect(client.closed).toBe(true)
  })

  test("is none that waited for its place", async () => {
    const { clock, inside } = await withListeners({ "max.connections": "1", "connections.max.idle.ms": "1000" })
    const [first, second] = [await inside(), await inside()]
    await pass(clock, 700)
    await request(first)
    await pass(clock, 800)
    first.destroy()
    await settled()
    // In at 1.5 s, though it came at 0: not idle for a second until 2.5 s.
    await pass(clock, 900)
    expect(second.closed).toBe(false)
    await pass(clock, 700)
    expect(second.closed).toBe(true)
  })
})

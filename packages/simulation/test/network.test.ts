import type { Connection } from "@millrace/host"
import { describe, expect, it } from "vitest"
import { Machine, Scheduler, SeededRandom, SimulatedNetwork } from "../src/index.ts"

function world(seed: number) {
  const scheduler = new Scheduler()
  const random = new SeededRandom(seed)
  const network = new SimulatedNetwork(scheduler, random.fork("net"))
  const start = (name: string) => new Machine(name, scheduler, network, random).start()
  return { scheduler, network, server: start("server"), client: start("client") }
}

/** A server that echoes, and a client that sends numbers and keeps what comes back. */
async function echo(seed: number, count: number) {
  const { scheduler, network, server, client } = world(seed)
  const got: number[] = []
  const log: string[] = []
  await server.net.listen({ host: "server", port: 1 }, (connection) => {
    connection.attach({
      data: (chunk) => void connection.write([chunk]),
      close: (error) => log.push(`server ${error?.code ?? "end"}`),
    })
  })
  let connection: Connection | undefined
  void client.net.connect({ host: "server", port: 1 }).then((made) => {
    connection = made
    made.attach({ data: (chunk) => got.push(...chunk), close: (error) => log.push(`client ${error?.code ?? "end"}`) })
    for (let value = 0; value < count; value++) made.write([Uint8Array.of(value)])
  })
  return { scheduler, network, server, client, got, log, connection: () => connection! }
}

describe("the simulated network", () => {
  it("keeps order and loses nothing between living processes", async () => {
    const { scheduler, got } = await echo(1, 100)
    await scheduler.run({})
    expect(got).toEqual(Array.from({ length: 100 }, (_, value) => value))
  })

  it("gives the same trace for the same seed and another for another", async () => {
    const traces: string[] = []
    for (const seed of [7, 7, 8]) {
      const { scheduler } = await echo(seed, 20)
      await scheduler.run({})
      traces.push(scheduler.trace)
    }
    expect(traces[0]).toBe(traces[1])
    expect(traces[0]).not.toBe(traces[2])
  })

  it("tells the peer of a killed process, and refuses new connections to it", async () => {
    const { scheduler, server, client, log } = await echo(2, 1)
    await scheduler.run({})
    server.kill()
    await scheduler.run({})
    expect(log).toEqual(["client end"])
    let code = ""
    void client.net.connect({ host: "server", port: 1 }).catch((error: { code: string }) => (code = error.code))
    await scheduler.run({})
    expect(code).toBe("ECONNREFUSED")
  })

  it("says nothing while isolated and delivers all after healing", async () => {
    const { scheduler, network, got, connection } = await echo(3, 1)
    await scheduler.run({})
    network.isolate("server")
    connection().write([Uint8Array.of(42)])
    await scheduler.run({})
    expect(got).toEqual([0])
    network.heal()
    await scheduler.run({})
    expect(got).toEqual([0, 42])
  })

  it("holds a clogged connection back while others go on, and delivers what it was given even after its end", async () => {
    const { scheduler, network, server, client } = world(8)
    const arrived: number[] = []
    await server.net.listen({ host: "server", port: 1 }, (connection) => {
      connection.attach({ data: (chunk) => arrived.push(...chunk), close: () => {} })
    })
    const connect = async () => {
      let made: Connection | undefined
      void client.net.connect({ host: "server", port: 1 }).then((connection) => {
        connection.attach({ data: () => {}, close: () => {} })
        made = connection
      })
      await scheduler.run({})
      return made!
    }
    const clogged = await connect()
    network.clog("client", 1, 1_000)
    clogged.write([Uint8Array.of(1)])
    clogged.destroy()
    const untilMs = scheduler.nowMs + 1_000
    void client.net.connect({ host: "server", port: 1 }).then((connection) => connection.write([Uint8Array.of(2)]))
    await scheduler.run({ untilMs, until: () => arrived.length === 2 })
    expect(arrived).toEqual([2, 1])
  })

  it("resets both ends when cut", async () => {
    const { scheduler, network, log } = await echo(4, 1)
    await scheduler.run({})
    network.cut("client")
    await scheduler.run({})
    expect(log.sort()).toEqual(["client ECONNRESET", "server ECONNRESET"])
  })

  it("ends in order: what was written before arrives first", async () => {
    const { scheduler, got, log, connection } = await echo(5, 3)
    await scheduler.run({ until: () => got.length === 3 })
    connection().write([Uint8Array.of(9)])
    connection().end()
    await scheduler.run({})
    expect(log.sort()).toEqual(["client end", "server end"])
  })

  it("refuses a port in use", async () => {
    const { server } = world(6)
    await server.net.listen({ host: "server", port: 5 }, () => {})
    await expect(server.net.listen({ host: "server", port: 5 }, () => {})).rejects.toMatchObject({ code: "EADDRINUSE" })
  })

  it("leaves the peers of what vanished with connections to nobody, until its machine is back and they write", async () => {
    const { scheduler, network, server, client } = world(9)
    const log: string[] = []
    await server.net.listen({ host: "server", port: 1 }, (connection) =>
      connection.attach({ data: () => {}, close: () => {} }),
    )
    let connection: Connection | undefined
    void client.net.connect({ host: "server", port: 1 }).then((made) => {
      connection = made
      made.attach({ data: () => {}, close: (error) => log.push(error?.code ?? "end") })
    })
    await scheduler.run({})
    server.vanish()
    await scheduler.run({})
    connection!.write([Uint8Array.of(1)])
    await scheduler.run({ untilMs: scheduler.nowMs + 5_000 })
    expect(log).toEqual([])
    const back = new Machine("server", scheduler, network, new SeededRandom(9)).start()
    await back.net.listen({ host: "server", port: 1 }, () => {})
    await scheduler.run({ untilMs: scheduler.nowMs + 5_000 })
    expect(log).toEqual(["ECONNRESET"])
  })

  it("duplicates connections, the second with nobody at its other end", async () => {
    const { scheduler, network, server, client } = world(10)
    let accepted = 0
    const arrived: number[] = []
    await server.net.listen({ host: "server", port: 1 }, (connection) => {
      accepted++
      connection.attach({ data: (chunk) => arrived.push(...chunk), close: () => {} })
    })
    network.duplicates = 1
    void client.net.connect({ host: "server", port: 1 }).then((made) => {
      made.attach({ data: () => {}, close: () => {} })
      made.write([Uint8Array.of(1)])
    })
    await scheduler.run({})
    expect(accepted).toBe(2)
    expect(arrived).toEqual([1])
  })
})

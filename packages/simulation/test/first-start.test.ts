/** A first start of a broker that dies anywhere: what it leaves is never taken for somebody else's. */
import { Broker } from "@millrace/broker"
import { describe, expect, it } from "vitest"
import { Machine, Scheduler, SeededRandom, SimulatedNetwork } from "../src/index.ts"

const RESTARTS = 3

/** Whether the broker was up before its process died at that change. */
async function dies(atChange: number, withPower: boolean): Promise<boolean> {
  const scheduler = new Scheduler()
  const random = new SeededRandom(atChange)
  const machine = new Machine("m", scheduler, new SimulatedNetwork(scheduler, random.fork("net")), random)
  const start = async (dieInChange: number) => {
    const process = machine.start()
    process.disk.dieInChange(dieInChange)
    const listen = { host: "m", port: 9092 }
    let outcome: unknown
    void Broker.start({ host: process, dataDir: "/data", listen }).then(
      (broker) => (outcome = broker),
      (error: unknown) => (outcome = process.alive ? error : "died"),
    )
    await scheduler.run({ untilMs: scheduler.nowMs + 100, until: () => outcome !== undefined || !process.alive })
    const wasUp = outcome instanceof Broker
    if (process.alive) process.kill()
    if (withPower) machine.device.power()
    return wasUp || !(outcome instanceof Error) ? wasUp : Promise.reject(outcome)
  }
  const wasUp = await start(atChange)
  // The one that follows dies as well, in another place.
  for (let index = 1; index < RESTARTS; index++) await start(atChange * index)
  expect(await start(Infinity)).toBe(true)
  return wasUp
}

describe.each([
  ["the process", false],
  ["the machine", true],
])("the next start is none that refuses the directory, when %s died", (_, withPower) => {
  it("at any change of the first", async () => {
    let atChange = 1
    while (!(await dies(atChange, withPower))) atChange++
    expect(atChange).toBeGreaterThan(20)
  })
})

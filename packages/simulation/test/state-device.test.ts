import { describe, expect, it } from "vitest"
import { stateEngineConformance } from "../../streams/test/conformance/state-engine.ts"
import { ProcessDied } from "../src/disk.ts"
import { SeededRandom } from "../src/random.ts"
import { StateDevice, type StateProcess } from "../src/state-device.ts"

function processOn(): StateProcess & { alive: boolean } {
  return {
    alive: true,
    name: "p",
    kill() {
      this.alive = false
    },
    clock: { setTimer: (_, callback) => queueMicrotask(callback) },
  }
}

const write = (value: number) => [{ key: "\x01", value: Uint8Array.of(value) }]
const checkpoint = (offset: number) => ({ topicId: "t", offset, writtenAt: 0 })

describe("the simulated state engine", () => {
  stateEngineConformance(async () => {
    const device = new StateDevice(new SeededRandom(1))
    return {
      engine: device.attach(processOn()).open("store", 0),
      reopen: async () => device.attach(processOn()).open("store", 0),
      close: async () => {},
    }
  })

  it("forgets any end of its history in a crash, and content and checkpoint stay together", async () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 60; seed++) {
      const device = new StateDevice(new SeededRandom(seed))
      const engine = device.attach(processOn()).open("store", 0)
      for (const value of [1, 2, 3]) await engine.write(write(value), checkpoint(value))
      device.crash()
      const left = device.attach(processOn()).open("store", 0)
      outcomes.add(`${left.get("\x01")?.[0]} ${left.checkpoint()?.offset}`)
    }
    expect([...outcomes].sort()).toEqual(["1 1", "2 2", "3 3", "undefined undefined"])
  })

  it("dies in the write that was armed, and does nothing for the dead", async () => {
    const device = new StateDevice(new SeededRandom(1))
    const process = processOn()
    const engine = device.attach(process).open("store", 0)
    device.dieInWrite(2)
    await engine.write(write(1), checkpoint(1))
    expect(() => engine.write(write(2), checkpoint(2))).toThrow(ProcessDied)
    expect(process.alive).toBe(false)
    expect(() => engine.get("\x01")).toThrow(ProcessDied)
    expect(() => engine.write(write(3), checkpoint(3))).toThrow(ProcessDied)
    expect(device.history("store-0")).toHaveLength(2)
  })
})

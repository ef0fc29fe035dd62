import { describe, expect, it } from "vitest"
import { diskConformance } from "../../host/test/conformance/disk.ts"
import { endTxnMarkerBatch } from "@millrace/protocol/record/control"
import { RecordBatchView } from "@millrace/protocol/record/batch"
import { BitFlip } from "../src/bit-flip.ts"
import { Machine, ProcessDied, Scheduler, SeededRandom, SimulatedNetwork } from "../src/index.ts"

const machine = (seed: number) => {
  const scheduler = new Scheduler()
  const random = new SeededRandom(seed)
  return {
    scheduler,
    machine: new Machine("m", scheduler, new SimulatedNetwork(scheduler, random.fork("net")), random),
  }
}
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (content: Uint8Array | undefined) => new TextDecoder().decode(content)

describe("the simulated disk", () => {
  let directories = 0
  const shared = machine(1).machine.start()
  diskConformance(shared.disk, () => {
    const path = `/d${directories++}`
    shared.disk.makeDirectory(path)
    return path
  })

  it("keeps completed writes when the process is killed", () => {
    const { machine: m } = machine(2)
    const process = m.start()
    process.disk.open("/f", { create: true }).write([bytes("abc")], 0)
    process.kill()
    expect(() => process.disk.exists("/f")).toThrow(ProcessDied)
    expect(text(m.start().disk.readFile("/f"))).toBe("abc")
  })

  it("tears the write in which it dies, and frees the lock", () => {
    const lengths = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const { machine: m } = machine(seed)
      const process = m.start()
      process.disk.lock("/lock")
      const file = process.disk.open("/f", { create: true })
      file.write([bytes("0123")], 0)
      process.disk.dieInWrite(1)
      expect(() => file.write([bytes("45"), bytes("67")], 4)).toThrow(ProcessDied)
      const after = text(m.start().disk.readFile("/f"))
      expect("01234567").toContain(after)
      expect(after.length).toBeGreaterThanOrEqual(4)
      lengths.add(after.length)
      expect(m.start().disk.lock("/lock").held).toBe(true)
    }
    expect(lengths.size).toBeGreaterThan(3)
  })

  it("loses a suffix of unsynced writes with the power, never what was synced", () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const { machine: m } = machine(seed)
      const process = m.start()
      const file = process.disk.open("/f", { create: true })
      process.disk.syncDirectory("/")
      file.write([bytes("aaaa")], 0)
      file.sync()
      file.write([bytes("bbbb")], 4)
      file.write([bytes("XX")], 1)
      process.power()
      outcomes.add(text(m.start().disk.readFile("/f")))
    }
    for (const outcome of outcomes) expect(outcome).toMatch(/^(aaaa(b{0,4}|\0{4})|aX?aab{4}|aXXab{4})$/)
    expect(outcomes.size).toBeGreaterThan(4)
    expect(outcomes).toContain("aaaa")
    expect(outcomes).toContain("aXXabbbb")
  })

  it("loses sectors in the middle of an unsynced write, which keeps its length", () => {
    const kept = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const { machine: m } = machine(seed)
      const process = m.start()
      const file = process.disk.open("/f", { create: true })
      process.disk.syncDirectory("/")
      file.write([new Uint8Array(3 * 512).fill(1)], 0)
      process.power()
      const content = m.start().disk.readFile("/f")!
      if (content.length < 3 * 512 || content.every((byte) => byte === 1)) continue
      kept.add(
        [0, 1, 2]
          .map((sector) => new Set(content.subarray(sector * 512, (sector + 1) * 512)))
          .map((bytes) => {
            expect(bytes.size).toBe(1)
            return [...bytes].join("")
          })
          .join(""),
      )
    }
    expect(kept.size).toBeGreaterThan(4)
    expect(kept).not.toContain("111")
  })

  it("loses names that no directory sync covered", () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 100; seed++) {
      const { machine: m } = machine(seed)
      const process = m.start()
      process.disk.open("/old", { create: true }).sync()
      process.disk.syncDirectory("/")
      process.disk.rename("/old", "/new")
      process.disk.open("/third", { create: true }).sync()
      process.power()
      outcomes.add(m.start().disk.list("/").join(" "))
    }
    expect([...outcomes].sort()).toEqual(["new", "new third", "old"])
  })

  it("makes durable what was written before a later sync, when it ends", async () => {
    const { machine: m, scheduler } = machine(3)
    const process = m.start()
    const file = process.disk.open("/f", { create: true })
    process.disk.syncDirectory("/")
    file.write([bytes("aa")], 0)
    let done = false
    void file.syncLater().then(() => (done = true))
    file.write([bytes("bb")], 2)
    await scheduler.run({})
    expect(done).toBe(true)
    process.power()
    expect(text(m.start().disk.readFile("/f")).startsWith("aa")).toBe(true)
  })

  it("writes what fits when it is full, says so, and goes on once there is room", () => {
    const { machine: m } = machine(4)
    const { disk } = m.start()
    const file = disk.open("/f", { create: true })
    m.device.freeBytes = 5
    file.write([bytes("abc")], 0)
    // Bytes that are there already take no more room.
    file.write([bytes("xyz")], 0)
    expect(() => file.write([bytes("def")], 3)).toThrow("no space left on the device")
    expect(text(disk.readFile("/f"))).toBe("xyzde")
    expect(() => disk.open("/g", { create: true })).toThrow("no space left on the device")
    m.device.freeBytes = Infinity
    file.write([bytes("def")], 3)
    expect(text(disk.readFile("/f"))).toBe("xyzdef")
  })

  it("takes longer to sync when it is slow", async () => {
    const { machine: m, scheduler } = machine(5)
    const file = m.start().disk.open("/f", { create: true })
    m.device.slowness = 100
    let done = false
    void file.syncLater().then(() => (done = true))
    await scheduler.run({ untilMs: 99 })
    expect(done).toBe(false)
    await scheduler.run({})
    expect(done).toBe(true)
  })

  it("changes a bit under a batch's checksum, and puts it back unless something else stands there", () => {
    for (let seed = 0; seed < 50; seed++) {
      const { machine: m } = machine(seed)
      const { disk } = m.start()
      const marker = { producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, committed: true, timestamp: 0 }
      const good = endTxnMarkerBatch(marker)
      disk.open("/f", { create: true }).write([good, bytes("torn")], 0)
      const flip = BitFlip.strike(m.device.file("/f")!, new SeededRandom(seed))!
      const batch = new RecordBatchView(disk.readFile("/f")!)
      expect(batch.sizeInBytes).toBe(good.length)
      expect(batch.isValidCrc()).toBe(false)
      flip.restore()
      expect(disk.readFile("/f")).toEqual(new Uint8Array([...good, ...bytes("torn")]))
      flip.restore()
      expect(new RecordBatchView(disk.readFile("/f")!).isValidCrc()).toBe(true)
    }
  })
})

import { describe, expect, it } from "vitest"
import { LogDirectory, type LogDirectoryOptions } from "../src/log-directory.ts"
import { logConfig } from "../src/log-config.ts"
import { MemoryDisk } from "./memory-disk.ts"
import { OPEN_SEGMENTS_MAX } from "../src/open-segments.ts"
import { SYNCS_MAX } from "../src/sync-turns.ts"
import { appended, batchOf, CLIENT, contents, fromProducer, NOW } from "./samples.ts"

const TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAw"
const OTHER_ID = "AAAAAAAAAAAAAAAAAAAABA"
const config = logConfig({ segmentBytes: 500 })

function random() {
  let state = 1
  return {
    float: () => 0.5,
    int: (bound: number) => state++ % bound,
    bytes: (length: number): Uint8Array => Uint8Array.from({ length }, (): number => (state++ * 37) & 255),
  }
}

/** Choices that look drawn. */
function drawn(seed: number): (bound: number) => number {
  let state = seed + 1
  return (bound) => ((state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff) >>> 8) % bound
}

function open(disk: MemoryDisk, options: Partial<LogDirectoryOptions> = {}): LogDirectory {
  return LogDirectory.open(disk, "/data", { nodeId: 1, random: random(), ...options })
}

function filled(disk: MemoryDisk): LogDirectory {
  const directory = open(disk)
  const log = directory.createLog("a.b-c", 3, TOPIC_ID, config, NOW)
  for (let index = 0; index < 20; index++) appended(log.append(batchOf([["k", `${index}`]]), CLIENT))
  return directory
}

describe("a directory without meta.properties", () => {
  const touch = (disk: MemoryDisk, name: string) => disk.open(`/data/${name}`, { create: true }).close()

  it("becomes a new one when it is empty, or the root of a volume", () => {
    const disk = new MemoryDisk()
    disk.makeDirectory("/data")
    disk.makeDirectory("/data/lost+found")
    const first = open(disk)
    expect(first.isNew).toBe(true)
    first.close()
    expect(open(disk).isNew).toBe(false)
  })

  it("is refused and left as it is when anything else is in it", () => {
    const disk = new MemoryDisk()
    disk.makeDirectory("/data")
    for (const name of ["d", "c", "lost+found", "b", "a"]) touch(disk, name)
    expect(() => open(disk)).toThrow(
      "data directory /data has no meta.properties but other files (a, b, c, …): is it the right one, is its volume mounted? " +
        "Choose an empty directory for a new cluster, or restore meta.properties from a backup",
    )
    expect(disk.list("/data")).toEqual(["a", "b", "c", "d", "lost+found"])
    expect(disk.lock("/data/.lock").held).toBe(true)
  })
})

describe("a data directory", () => {
  it("tells when its lock was removed", () => {
    const disk = new MemoryDisk()
    const directory = open(disk)
    directory.checkLock()
    disk.remove("/data/.lock")
    expect(() => directory.checkLock()).toThrow(
      "data directory /data is not this process's alone any more: its file .lock was removed or replaced",
    )
  })

  it("lets go of everything when a full disk refuses what a clean close writes, and the next start recovers", () => {
    const disk = new MemoryDisk()
    const directory = filled(disk)
    directory.createLog("other", 0, OTHER_ID, config, NOW)
    disk.full = true
    expect(() => directory.close()).toThrow("no space left on the device")
    expect(disk.openFiles).toBe(0)
    disk.full = false
    const next = open(disk)
    expect(next.cleanShutdown).toBe(false)
    expect(contents(next.openLog("a.b-c", 3, config, NOW)).length).toBe(20)
    next.close()
  })

  it("lets logs be deleted while the disk is full", () => {
    const disk = new MemoryDisk()
    const directory = filled(disk)
    directory.checkpoint()
    disk.full = true
    for (const remove of directory.deleteLogs([{ topic: "a.b-c", partition: 3 }])) remove()
    disk.full = false
    expect(disk.exists("/data/a.b-c-3")).toBe(false)
    expect(directory.createLog("a.b-c", 3, OTHER_ID, config, NOW).logEndOffset).toBe(0)
    directory.close()
  })

  describe("what was flushed and is not there any more", () => {
    const without = (remove: (disk: MemoryDisk) => void): LogDirectory => {
      const disk = new MemoryDisk()
      filled(disk).close()
      remove(disk)
      return open(disk)
    }

    it("is an error that names the log, not an empty one", () => {
      const lost =
        "/data/a.b-c-3 is corrupt: its records are gone, though offsets below 20 were flushed; restore the file"
      const directory = without((disk) => disk.remove("/data/a.b-c-3"))
      expect(directory.isLost("a.b-c", 3)).toBe(true)
      expect(() => directory.createLog("a.b-c", 3, TOPIC_ID, config, NOW)).toThrow(lost)
      const empty = without((disk) => {
        for (const name of disk.list("/data/a.b-c-3")) if (name.endsWith(".log")) disk.remove(`/data/a.b-c-3/${name}`)
      })
      expect(() => empty.openLog("a.b-c", 3, config, NOW)).toThrow(lost)
    })

    it("is found after a crash too, where a file ends at a batch before it", () => {
      const disk = new MemoryDisk()
      const directory = filled(disk)
      const log = directory.log("a.b-c", 3)!
      log.flush()
      directory.checkpoint()
      disk.kill()
      const last = `/data/a.b-c-3/${disk
        .list("/data/a.b-c-3")
        .filter((name) => name.endsWith(".log"))
        .at(-1)!}`
      disk.open(last).truncate(0)
      expect(() => open(disk).openLog("a.b-c", 3, config, NOW)).toThrow(
        /it ends at offset \d+, though offsets below 20 were flushed/,
      )
    })

    it("is no loss where the topic was deleted, or its records given up", () => {
      const kept = without((disk) => disk.remove("/data/a.b-c-3"))
      kept.keepOffsets(() => false)
      expect(kept.createLog("a.b-c", 3, OTHER_ID, config, NOW).logEndOffset).toBe(0)
      const given = without((disk) => {
        disk.remove("/data/a.b-c-3")
        disk.remove("/data/recovery-point-offset-checkpoint")
      })
      expect(given.createLog("a.b-c", 3, TOPIC_ID, config, NOW).logEndOffset).toBe(0)
    })
  })

  it("keeps its identity and its logs over a clean restart, without recovery", () => {
    const disk = new MemoryDisk()
    const first = filled(disk)
    first.log("a.b-c", 3)!.deleteRecordsBefore(7)
    first.checkpoint([{ topic: "a.b-c", partition: 3, offset: 20 }])
    first.close()
    expect(disk.exists("/data/.kafka_cleanshutdown")).toBe(true)
    const second = open(disk, { clusterId: first.meta.clusterId })
    expect(second.meta).toEqual(first.meta)
    expect(second.cleanShutdown).toBe(true)
    expect(disk.exists("/data/.kafka_cleanshutdown")).toBe(false)
    expect(second.topicDirs()).toEqual([{ topic: "a.b-c", partition: 3, topicId: TOPIC_ID }])
    expect(second.highWatermark("a.b-c", 3)).toBe(20)
    const log = second.openLog("a.b-c", 3, config, NOW)
    expect([log.topicId, log.logStartOffset, log.logEndOffset, log.recoveryPoint]).toEqual([TOPIC_ID, 7, 20, 20])
    expect(contents(log)).toHaveLength(13)
    second.close()
    expect(disk.openFiles).toBe(0)
  })

  it("recovers after a kill", () => {
    const disk = new MemoryDisk()
    filled(disk)
    disk.kill()
    const again = open(disk)
    expect(again.cleanShutdown).toBe(false)
    expect(contents(again.openLog("a.b-c", 3, config, NOW))).toHaveLength(20)
  })

  it("never trusts a marker twice, even when the power fails right after the start", () => {
    const disk = new MemoryDisk()
    filled(disk).close()
    const second = open(disk)
    const log = second.openLog("a.b-c", 3, config, NOW)
    appended(log.append(batchOf([["k", "x".repeat(400)]]), CLIENT))
    disk.powerCut((bound) => (bound === 2 ? 1 : 0))
    expect(open(disk).cleanShutdown).toBe(false)
  })

  it("waits for no device when it makes a log", () => {
    const disk = new MemoryDisk()
    const directory = open(disk)
    const syncs = () => disk.syncs + disk.directorySyncs
    const before = syncs()
    for (let partition = 0; partition < 10; partition++) {
      const log = directory.createLog("t", partition, TOPIC_ID, config, NOW)
      appended(log.append(batchOf([["k", "v"]]), CLIENT))
    }
    expect(syncs()).toBe(before)
  })

  it("lets a log that was made and not flushed begin again, or go on, whatever the power does", () => {
    for (let seed = 0; seed < 200; seed++) {
      const disk = new MemoryDisk()
      const log = open(disk).createLog("t", 0, TOPIC_ID, config, NOW)
      appended(log.append(batchOf([["k", "v"]]), CLIENT))
      disk.powerCut(drawn(seed))
      const again = open(disk)
      for (const { topicId } of again.topicDirs()) expect([undefined, TOPIC_ID]).toContain(topicId)
      const found = again.createLog("t", 0, TOPIC_ID, config, NOW)
      expect(found.logEndOffset).toBeLessThanOrEqual(1)
      appended(found.append(batchOf([["k", "v"]]), CLIENT))
      found.flush()
      disk.powerCut(() => 0)
      expect(open(disk).topicDirs()).toEqual([{ topic: "t", partition: 0, topicId: TOPIC_ID }])
    }
  })

  it.each(["at once", "later", "after a kill"] as const)("keeps a log that was flushed (%s)", async (how) => {
    for (let seed = 0; seed < 50; seed++) {
      const disk = new MemoryDisk()
      let log = open(disk).createLog("t", 0, TOPIC_ID, config, NOW)
      appended(log.append(batchOf([["k", "v"]]), CLIENT))
      if (how === "after a kill") {
        disk.kill()
        log = open(disk).openLog("t", 0, config, NOW)
      }
      if (how === "later") await log.flushLater()
      else log.flush()
      disk.powerCut(drawn(seed))
      const again = open(disk)
      expect(again.topicDirs()).toEqual([{ topic: "t", partition: 0, topicId: TOPIC_ID }])
      expect(again.openLog("t", 0, config, NOW).logEndOffset).toBe(1)
    }
  })

  it("keeps the first segment of a log that was not flushed where it keeps the second", () => {
    let kept = 0
    for (let seed = 0; seed < 200; seed++) {
      const disk = new MemoryDisk()
      const log = open(disk).createLog("t", 0, TOPIC_ID, config, NOW)
      for (let n = 0; n < 4; n++) appended(log.append(batchOf([["k", "x".repeat(400)]]), CLIENT))
      expect(log.segmentCount).toBeGreaterThan(1)
      disk.powerCut(drawn(seed))
      const again = open(disk).createLog("t", 0, TOPIC_ID, config, NOW)
      expect(again.logStartOffset).toBe(0)
      kept += again.logEndOffset
    }
    expect(kept).toBeGreaterThan(0)
  })

  it("makes all logs durable at a clean end with few syncs each, and the next start finds all", async () => {
    const LOGS = 200
    const disk = new MemoryDisk()
    const directory = open(disk)
    for (let partition = 0; partition < LOGS; partition++) {
      const log = directory.createLog("t", partition, TOPIC_ID, config, NOW)
      for (let sequence = 0; sequence < 3; sequence++) appended(log.append(fromProducer(3, 0, sequence), CLIENT))
    }
    const syncs = () => disk.syncs + disk.directorySyncs
    const before = syncs()
    await directory.flushLater()
    directory.close()
    // Its batches, its topic id, its names; and some for the directory.
    expect(syncs() - before).toBeLessThanOrEqual(3 * LOGS + 20)
    disk.powerCut(() => 0)
    const again = open(disk)
    expect(again.cleanShutdown).toBe(true)
    for (let partition = 0; partition < LOGS; partition++) {
      const log = again.openLog("t", partition, config, NOW)
      expect([log.logEndOffset, log.latestEpoch]).toEqual([3, 0])
      expect(appended(log.append(fromProducer(3, 0, 1), CLIENT))).toMatchObject({ duplicate: true, baseOffset: 1 })
    }
  })

  it("holds few files open while many logs are flushed at once", async () => {
    const disk = new MemoryDisk()
    const directory = open(disk)
    for (let partition = 0; partition < 1_000; partition++) {
      const log = directory.createLog("t", partition, TOPIC_ID, config, NOW)
      appended(log.append(batchOf([["k", "v"]]), CLIENT))
    }
    await directory.flushLater()
    expect(disk.mostOpenFiles).toBeLessThanOrEqual(OPEN_SEGMENTS_MAX + 2 * SYNCS_MAX)
  })

  it("deletes many logs with one change of the checkpoints", () => {
    const disk = new MemoryDisk()
    const directory = open(disk)
    const logs = Array.from({ length: 100 }, (_, partition) => ({ topic: "t", partition }))
    for (const { topic, partition } of logs) directory.createLog(topic, partition, TOPIC_ID, config, NOW)
    const before = disk.directorySyncs
    const removals = directory.deleteLogs(logs)
    expect(removals).toHaveLength(100)
    expect(disk.directorySyncs - before).toBeLessThan(10)
    expect(directory.topicDirs()).toEqual([])
    removals[0]!()
    disk.powerCut(() => 0)
    expect(open(disk).topicDirs()).toEqual([])
    expect(disk.list("/data").filter((name) => name.endsWith("-delete"))).toEqual([])
  })

  it("asks for a flush after a roll, so that recovery reads the last segment only", async () => {
    const disk = new MemoryDisk()
    const directory = filled(disk)
    const log = directory.log("a.b-c", 3)!
    expect(log.flushDueAt).toBe(NOW)
    await log.flushLater()
    expect([log.flushDueAt, log.recoveryPoint]).toEqual([undefined, 20])
    directory.checkpoint()
    expect(new TextDecoder().decode(disk.readFile("/data/recovery-point-offset-checkpoint"))).toBe("0\n1\na.b-c 3 20\n")
    appended(log.append(batchOf([["k", "more"]]), CLIENT))
    disk.powerCut(() => 0)
    expect(open(disk).openLog("a.b-c", 3, config, NOW).logEndOffset).toBe(20)
  })

  it("asks for a flush when flush.ms is over", async () => {
    const log = open(new MemoryDisk()).createLog("t", 0, TOPIC_ID, logConfig({ flushMs: 100 }), NOW)
    appended(log.append(batchOf([["k", "v"]]), CLIENT))
    expect(log.flushDueAt).toBe(NOW + 100)
    await log.flushLater()
    expect([log.flushDueAt, log.recoveryPoint]).toEqual([undefined, 1])
  })

  it("deletes logs, and a recreated topic starts anew", () => {
    const disk = new MemoryDisk()
    const directory = filled(disk)
    directory.log("a.b-c", 3)!.deleteRecordsBefore(9)
    for (const remove of directory.deleteLogs([{ topic: "a.b-c", partition: 3 }])) remove()
    expect(directory.topicDirs()).toEqual([])
    expect(disk.list("/data").filter((name) => name.includes("a.b-c"))).toEqual([])
    const log = directory.createLog("a.b-c", 3, OTHER_ID, config, NOW)
    expect([log.topicId, log.logStartOffset, log.logEndOffset]).toEqual([OTHER_ID, 0, 0])
    directory.close()
    expect(open(disk).openLog("a.b-c", 3, config, NOW).logStartOffset).toBe(0)
  })

  it("puts a log that nobody claims aside, with all its files", () => {
    const disk = new MemoryDisk()
    const directory = filled(disk)
    const before = disk.list("/data/a.b-c-3")
    const aside = directory.putAside("a.b-c", 3)!
    expect(aside).toMatch(/^\/data\/a\.b-c-3\.[0-9a-f]{32}-stray$/)
    expect(directory.topicDirs()).toEqual([])
    directory.close()
    expect(open(disk).topicDirs()).toEqual([])
    expect(disk.list(aside)).toEqual(expect.arrayContaining(before))
    expect(directory.putAside("a.b-c", 3)).toBeUndefined()
  })

  it("finishes a deletion that a crash interrupted", () => {
    const disk = new MemoryDisk()
    filled(disk)
    disk.rename("/data/a.b-c-3", "/data/a.b-c-3.0123456789abcdef0123456789abcdef-delete")
    disk.kill()
    expect(open(disk).topicDirs()).toEqual([])
    expect(disk.list("/data").filter((name) => name.endsWith("-delete"))).toEqual([])
  })

  it.each([
    ["another process has it", {}, (disk: MemoryDisk): void => void open(disk), /in use by process 1/],
    [
      "it is another cluster's",
      { clusterId: "AAAAAAAAAAAAAAAAAAAAAA" },
      (disk: MemoryDisk) => open(disk).close(),
      /belongs to cluster/,
    ],
    [
      "it is another node's",
      { nodeId: 2 },
      (disk: MemoryDisk) => open(disk).close(),
      /belongs to node 1, not to node 2/,
    ],
  ])("is refused when %s", (_, options, before, message) => {
    const disk = new MemoryDisk()
    before(disk)
    expect(() => open(disk, options)).toThrow(message)
  })

  it("names a checkpoint that does not parse", () => {
    const disk = new MemoryDisk()
    filled(disk).close()
    const file = disk.open("/data/recovery-point-offset-checkpoint", { truncate: true })
    file.write([Buffer.from("0\n2\na 0 1\n")], 0)
    file.close()
    expect(() => open(disk)).toThrow(/recovery-point-offset-checkpoint is corrupt: it announces 2 entries and holds 1/)
  })

  it("shares one sync among concurrent flushes", async () => {
    const disk = new MemoryDisk()
    const log = open(disk).createLog("t", 0, TOPIC_ID, logConfig({ flushMessages: 1 }), NOW)
    const results = [0, 1, 2, 3].map(() => appended(log.append(batchOf([["k", "v"]]), CLIENT)))
    expect(results.every(({ flushDue }) => flushDue)).toBe(true)
    const before = disk.syncs
    await Promise.all(results.map(() => log.flushLater()))
    expect(log.recoveryPoint).toBe(4)
    // The log itself; the leader epochs and names come once.
    expect(disk.syncs - before).toBeLessThanOrEqual(2)
    const later = disk.syncs
    appended(log.append(batchOf([["k", "v"]]), CLIENT))
    const running = log.flushLater()
    await Promise.resolve()
    await Promise.resolve()
    await Promise.resolve()
    appended(log.append(batchOf([["k", "v"]]), CLIENT))
    await Promise.all([running, log.flushLater()])
    expect([log.recoveryPoint, disk.syncs - later]).toEqual([6, 2])
  })
})

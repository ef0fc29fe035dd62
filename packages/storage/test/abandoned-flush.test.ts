/** A topic is deleted, and made anew, while a flush of its log runs. */
import { expect, it } from "vitest"
import { LEADER_EPOCH_FILE } from "../src/layout.ts"
import { MemoryDisk } from "./memory-disk.ts"
import { appended, CLIENT, DIRECTORY, fromProducer, openLog } from "./samples.ts"

it.each([0, 1, 2])("leaves the files of a new log of the same name alone, %i turns into the flush", async (turns) => {
  const disk = new MemoryDisk()
  const old = openLog(disk)
  for (let leaderEpoch = 5; leaderEpoch < 8; leaderEpoch++) {
    appended(old.append(fromProducer(1, 0, leaderEpoch - 5), { ...CLIENT, leaderEpoch }))
    old.roll(0)
  }
  const flushed = old.flushLater().catch(() => {})
  for (let turn = 0; turn < turns; turn++) await Promise.resolve()
  old.close(false)
  disk.rename(DIRECTORY, "/data/deleted")
  const log = openLog(disk)
  const before = disk.list(DIRECTORY)
  const { openFiles } = disk
  await flushed
  expect(disk.list(DIRECTORY)).toEqual(before)
  expect(disk.exists(`${DIRECTORY}/${LEADER_EPOCH_FILE}`)).toBe(false)
  expect(disk.openFiles).toBeLessThanOrEqual(openFiles)
  log.close(false)
  expect(disk.openFiles).toBe(0)
})

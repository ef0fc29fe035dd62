/** The same log on the real disk: what the fake one may have taken too lightly. */
import * as fs from "node:fs"
import * as os from "node:os"
import { nodeDisk } from "@millrace/host/node"
import { COMPRESSIONS } from "@millrace/protocol/record/compression"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { logConfig } from "../src/log-config.ts"
import { LogDirectory } from "../src/log-directory.ts"
import { appended, batchOf, CLIENT, COORDINATOR, contents, fromProducer, marker, NOW } from "./samples.ts"

const TOPIC_ID = "AAAAAAAAAAAAAAAAAAAAAw"
const config = logConfig({ segmentBytes: 4000, indexIntervalBytes: 300 })
const random = { float: () => 0, int: () => 0, bytes: (length: number) => new Uint8Array(length).fill(5) }

let path: string
beforeEach(() => (path = fs.mkdtempSync(`${os.tmpdir()}/millrace-storage-`)))
afterEach(() => fs.rmSync(path, { recursive: true, force: true }))

const open = () => LogDirectory.open(nodeDisk, path, { nodeId: 1, random })

/** Forty batches in every codec, of plain and of transactional producers. */
function fill(directory: LogDirectory): [number, string | null][] {
  const log = directory.createLog("t", 0, TOPIC_ID, config, NOW)
  for (let index = 0; index < 40; index++) {
    const compression = COMPRESSIONS[index % COMPRESSIONS.length]!
    appended(
      log.append(
        batchOf(
          [
            ["k", `${index}`],
            ["k", "x".repeat(index * 7)],
          ],
          { compression },
        ),
        CLIENT,
      ),
    )
    appended(log.append(fromProducer(1, 0, index * 3, 3, { transactional: true, compression }), CLIENT))
    if (index % 4 === 3) appended(log.append(marker(1, 0, index % 8 === 3), COORDINATOR))
  }
  return contents(log)
}

describe("on the real disk", () => {
  it("a log survives clean shutdowns and kills", async () => {
    let directory = open()
    const expected = fill(directory)
    const aborted = directory.log("t", 0)!.abortedTransactions(0, 1000)
    expect(aborted).toHaveLength(5)
    for (const clean of [true, false, false, true, true]) {
      await directory.log("t", 0)!.flushLater()
      directory.checkpoint()
      directory.close(clean)
      directory = open()
      expect(directory.cleanShutdown).toBe(clean)
      const log = directory.openLog("t", 0, config, NOW)
      expect(contents(log)).toEqual(expected)
      expect(log.abortedTransactions(0, 1000)).toEqual(aborted)
      expect(appended(log.append(fromProducer(1, 0, 117, 3, { transactional: true }), CLIENT)).duplicate).toBe(true)
    }
    directory.close()
  })

  it("a torn tail is cut at every byte of the last batch", () => {
    const directory = open()
    fill(directory)
    const log = directory.log("t", 0)!
    const end = log.logEndOffset
    appended(log.append(batchOf([["k", "the last one"]]), CLIENT))
    directory.close(false)
    const folder = `${path}/t-0`
    const active = `${folder}/${fs
      .readdirSync(folder)
      .filter((name) => name.endsWith(".log"))
      .sort()
      .at(-1)}`
    const whole = fs.readFileSync(active)
    const size = batchOf([["k", "the last one"]]).length
    for (let missing = 1; missing <= size; missing++) {
      fs.writeFileSync(active, whole.subarray(0, whole.length - missing))
      const again = open()
      expect(again.openLog("t", 0, config, NOW).logEndOffset).toBe(end)
      again.close(false)
    }
  })

  it("a directory has one process at a time", () => {
    const directory = open()
    expect(open).toThrow(/is in use by process \d+: stop it or choose another directory/)
    directory.close()
    open().close()
  })
})

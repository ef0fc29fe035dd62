/**
 * One flipped byte on the disk: the file is named, with the position, and no acknowledged record goes silently. After a
 * clean stop the damaged partition alone is out of service, when it is met; after a crash the broker refuses to start.
 */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { killServers, millrace, scratchDirectory, serve } from "./support/process.ts"

const scratch = scratchDirectory()
const CLEAN = `${scratch.path}/clean`
const KILLED = `${scratch.path}/killed`

const RECORD_BYTES = 10_000
const RECORDS = 250
const lines = Array.from({ length: RECORDS }, (_, index) => `${index} `.padEnd(RECORD_BYTES, "."))
const others = Array.from({ length: 10 }, (_, index) => `other ${index}`)

beforeAll(async () => {
  const data = `${scratch.path}/data`
  const broker = await serve(["broker", "--data", data, "--listen", "127.0.0.1:0"])
  const brokers = ["--brokers", broker.ready["kafka"]!]
  const settings = ["--partitions", "1", "--set", "segment.bytes=1048576"]
  expect((await millrace(["topic", "create", "big", "small", ...settings, ...brokers])).code).toBe(0)
  for (const [topic, list] of [["big", lines] as const, ["small", others] as const]) {
    const input = list.map((line) => `${line}\n`).join("")
    expect((await millrace(["produce", topic, ...brokers], { input })).code).toBe(0)
  }
  // What a killed process leaves is what is there now: what it wrote survives it.
  cpSync(data, KILLED, { recursive: true })
  expect((await broker.stop()).code).toBe(0)
  cpSync(data, CLEAN, { recursive: true })
  expect(segments(CLEAN).length).toBeGreaterThan(2)
})

afterAll(() => {
  killServers()
  scratch.remove()
})

const segments = (data: string): string[] => readdirSync(`${data}/big-0`).filter((name) => name.endsWith(".log"))
const oldest = () => `big-0/${segments(CLEAN)[0]}`
const active = () => `big-0/${segments(CLEAN).at(-1)}`
const metadata = () => "__cluster_metadata-0/00000000000000000000.log"

let copies = 0

/** A copy of a data directory in which one byte differs; `at` below 0 counts from the end. */
function damaged(from: string, file: string, at: number): string {
  const data = `${scratch.path}/damaged-${++copies}`
  cpSync(from, data, { recursive: true })
  const bytes = readFileSync(`${data}/${file}`)
  bytes[at < 0 ? bytes.length + at : at]! ^= 0x01
  writeFileSync(`${data}/${file}`, bytes)
  return data
}

const broker = (data: string) => ["broker", "--data", data, "--listen", "127.0.0.1:0"]

describe("after a clean stop", () => {
  const met: readonly [name: string, file: () => string, at: number][] = [
    ["in an old segment", oldest, 500_000],
    ["in the active segment, in the middle", active, 100_000],
    ["in the last batch", active, -100],
  ]
  it.concurrent.each(met)("%s: the partition is out of service, the others are served", async (_, file, at) => {
    const serving = await serve(broker(damaged(CLEAN, file(), at)))
    const brokers = ["--brokers", serving.ready["kafka"]!]
    const read = await millrace(["consume", "big", "--until-end", ...brokers])
    expect(read.code).toBe(1)
    expect(read.stderr).toMatch(/^millrace: [^\n]*KAFKA_STORAGE_ERROR[^\n]*big-0[^\n]*\n$/)
    // What was read is what was written, up to the damage.
    const got = read.stdout.split("\n").slice(0, -1)
    expect(got).toEqual(lines.slice(0, got.length))
    expect((await millrace(["consume", "small", "--until-end", ...brokers])).stdout.split("\n")).toEqual([
      ...others,
      "",
    ])
    const ended = await serving.stop()
    expect(ended.code).toBe(0)
    expect(ended.stderr).toMatch(
      new RegExp(
        `^\\S+ ERROR partition big-0 is offline: [^\\n]*/${path.basename(file())} is corrupt at byte \\d+: [^\\n]*\\n$`,
      ),
    )
  })

  it("with --log json the event is told in names and values", async () => {
    const serving = await serve([...broker(damaged(CLEAN, oldest(), 500_000)), "--log", "json"])
    await millrace(["consume", "big", "--until-end", "--brokers", serving.ready["kafka"]!])
    const told = (await serving.stop()).stderr.split("\n").slice(0, -1)
    expect(told.map((line) => JSON.parse(line))).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        part: "broker",
        level: "error",
        event: "partition-offline",
        topic: "big",
        partition: 0,
        reason: expect.stringContaining(path.basename(oldest())),
        message: expect.stringMatching(/^partition big-0 is offline: /),
      },
    ])
  })

  it("in the metadata log: the broker does not start", async () => {
    const ended = await millrace(broker(damaged(CLEAN, metadata(), -10)))
    expect(ended).toMatchObject({ code: 1, stdout: "" })
    expect(ended.stderr).toMatch(/^millrace: .*__cluster_metadata-0\/0+\.log is corrupt at byte \d+: [^\n]*\n$/)
  })

  it("in a topic id: the records are put aside, not deleted", async () => {
    const data = damaged(CLEAN, "big-0/partition.metadata", -3)
    const serving = await serve(broker(data))
    const ended = await serving.stop()
    const aside = /^\S+ WARN  the log of big-0 was put aside as (\S+): it is of topic id/m.exec(ended.stderr)?.[1]
    expect(existsSync(`${aside}/${segments(CLEAN)[0]}`)).toBe(true)
  })
})

describe("after a kill -9", () => {
  const refused: readonly [name: string, file: () => string, at: number][] = [
    ["in an old segment", oldest, 500_000],
    ["in the active segment, in the middle", active, 100_000],
    ["in the last batch", active, -100],
    ["in the metadata log", metadata, 100],
  ]
  it.each(refused)("%s: the broker names file and position, and cuts nothing", async (_, file, at) => {
    const data = damaged(KILLED, file(), at)
    const before = readFileSync(`${data}/${file()}`)
    const ended = await millrace(broker(data))
    expect(ended).toMatchObject({ code: 1, stdout: "" })
    expect(ended.stderr).toMatch(
      new RegExp(
        `^millrace: [^\\n]*/${path.basename(file())} is corrupt at byte \\d+: [^\\n]*restore the file[^\\n]*\\n$`,
      ),
    )
    expect(readFileSync(`${data}/${file()}`).equals(before)).toBe(true)
  })

  it("nowhere: all is there again", async () => {
    const serving = await serve(broker(KILLED))
    const read = await millrace(["consume", "big", "--until-end", "--brokers", serving.ready["kafka"]!])
    expect(read.stdout.split("\n").slice(0, -1)).toEqual(lines)
    expect((await serving.stop()).stderr).toBe("")
  })
})

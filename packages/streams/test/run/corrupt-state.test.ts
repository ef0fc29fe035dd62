/**
 * Damaged local state: a file whose head does not fit, a value whose bytes changed. It is told in one line and rebuilt.
 */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { json, string } from "@millrace/schema"
import { nodeHost } from "@millrace/host/node"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { CorruptState } from "../../src/errors.ts"
import { LmdbEngines } from "../../src/state/lmdb-engine.ts"
import { lmdbFileFault } from "../../src/state/lmdb-file.ts"
import { Bench, eventually, named } from "./bench.ts"

const bytes = (text: string) => Buffer.from(text)

describe("the engine", () => {
  let directory: string
  let file: string
  beforeEach(async () => {
    directory = mkdtempSync(path.join(tmpdir(), "millrace-corrupt-"))
    file = path.join(directory, "state.lmdb")
    const engines = new LmdbEngines(file)
    const batch = Array.from({ length: 500 }, (_, at) => ({ key: `key-${at}`, value: bytes(`value-${at}.`) }))
    await engines.open("store", 3).write(batch, { topicId: "t", offset: 9, writtenAt: 1 })
    await engines.close()
    return () => rmSync(directory, { recursive: true })
  })

  const change = (edit: (content: Buffer) => void) => {
    const content = readFileSync(file)
    edit(content)
    writeFileSync(file, content)
  }

  test("a value that was changed is met when it is read, and the checkpoint is gone until the engine is cleared", async () => {
    change((content) => void (content[content.indexOf("value-77.")]! ^= 1))
    const engines = new LmdbEngines(file)
    const engine = engines.open("store", 3)
    expect(engine.checkpoint()?.offset).toBe(9)
    expect(String(engine.get("key-76"))).toBe("value-76.")
    expect(() => engine.get("key-77")).toThrow(new CorruptState("store", 3))
    expect(() => [...engine.range()]).toThrow('store "store", partition 3: a value on disk is damaged')
    await engine.write([], { topicId: "t", offset: 10, writtenAt: 1 })
    await engines.close()

    const again = new LmdbEngines(file)
    const reopened = again.open("store", 3)
    expect(reopened.checkpoint()).toBeUndefined()
    await reopened.clear()
    await reopened.write([{ key: "k", value: bytes("v") }], { topicId: "t", offset: 11, writtenAt: 1 })
    expect([String(reopened.get("k")), reopened.checkpoint()?.offset]).toEqual(["v", 11])
    await again.close()
  })

  test("a checkpoint that was changed is none", async () => {
    change((content) => void (content[content.indexOf('"topicId"')]! ^= 1))
    const engines = new LmdbEngines(file)
    expect(engines.open("store", 3).checkpoint()).toBeUndefined()
    await engines.close()
  })

  test.each<readonly [string, () => void, string | undefined]>([
    ["as it is", () => {}, undefined],
    ["empty", () => truncateSync(file, 0), undefined],
    ["zeros at the head", () => change((content) => content.fill(0, 0, 8_192)), "its head is not that of an LMDB file"],
    [
      "noise at the head",
      () => change((content) => content.fill(0xab, 0, 160)),
      "its head is not that of an LMDB file",
    ],
    [
      "a damaged second meta page",
      () => change((content) => content.fill(0, 4_096, 4_200)),
      "its meta page 1 is damaged",
    ],
    ["another format", () => change((content) => content.fill(9, 28, 29)), "its format is version 9, and 2 is known"],
    ["cut within the head", () => truncateSync(file, 100), "its head is not that of an LMDB file"],
    ["cut behind the first page", () => truncateSync(file, 4_200), "it ends after 4200 bytes"],
    ["cut behind the head", () => truncateSync(file, 9_000), "it ends after 9000 bytes"],
  ])("a file that LMDB cannot be given is known: %s", (_, damage, fault) => {
    damage()
    expect(lmdbFileFault(nodeHost.disk, file)).toBe(fault)
  })

  test("no file is no fault", () => {
    expect(lmdbFileFault(nodeHost.disk, path.join(directory, "none"))).toBeUndefined()
  })
})

describe("a run", () => {
  const In = S.topic(named("damaged-in"), { key: string, value: json<number>() })
  const sums = S.stream(In).pipe(S.aggregate("sums", { init: () => 0, add: (sum, value: number) => sum + value }))
  const pipeline = S.pipeline(named("damaged-app"), () => sums)
  const stateDir = mkdtempSync(path.join(tmpdir(), "millrace-damaged-"))
  const file = path.join(stateDir, pipeline.name, "state.lmdb")
  const flushLimits = { memtableBytesMax: 1, memtableAgeMs: 1 }
  let bench: Bench
  beforeAll(async () => {
    bench = await Bench.start()
    await bench.createTopics({ "damaged-in": 1 })
  })
  afterAll(async () => {
    await bench.close()
    rmSync(stateDir, { recursive: true })
  })

  const keys = Array.from({ length: 50 }, (_, at) => `key-${at}.`)

  /** Runs until every key has the sum, and answers what was logged. */
  async function add(value: number, sum: number): Promise<string[]> {
    const logged: string[] = []
    const log = (message: string) => void logged.push(message)
    const running = await S.run(pipeline, { ...bench.options("damaged", { flushLimits, log }), stateDir })
    await bench.produce(
      In,
      keys.map((key) => [key, value, 1]),
    )
    await eventually("all is summed up", () => {
      const found = running.query(sums, { kind: "range" }).partitions.get(0)
      return (
        found?.ok === true &&
        found.result.rows.length === keys.length &&
        found.result.rows.every((row) => row.value === sum)
      )
    })
    await running.close()
    return logged.filter((line) => line.includes("damaged,") || line.includes("is damaged"))
  }

  test("rebuilds what is damaged and goes on, whatever it was", async () => {
    expect(await add(1, 1)).toEqual([])

    const content = readFileSync(file)
    // The value of a key lies behind it; its last byte is the number.
    for (let at = content.indexOf("key-7."); at >= 0; at = content.indexOf("key-7.", at + 1)) content[at + 18]! ^= 0x55
    writeFileSync(file, content)
    expect(await add(2, 3)).toEqual([
      'store "sums", partition 0: a value on disk is damaged, its checksum does not fit; it is dropped, and rebuilt from its changelog',
    ])

    truncateSync(file, 9_000)
    expect(await add(4, 7)).toEqual([
      `state in ${file} is damaged, it ends after 9000 bytes: it is dropped, and rebuilt from the changelogs`,
    ])
    expect(await add(8, 15)).toEqual([])
  }, 60_000)

  test("a damaged global table ends the run, and is read from its topic again by the next one", async () => {
    const Countries = S.topic(named("countries"), { key: string, value: string })
    const Orders = S.topic(named("orders"), { key: string, value: string })
    const Out = S.topic(named("named-orders"), { key: string, value: string })
    const countries = S.globalTable(Countries, { store: "countries" })
    const pipeline = S.pipeline(named("damaged-global"), () =>
      S.stream(Orders).pipe(
        S.joinGlobalTable(
          countries,
          (country) => country,
          (_, name) => name,
        ),
        S.to(Out),
      ),
    )
    await bench.createTopics({ countries: 1, orders: 1, "named-orders": 1 })
    await bench.produce(Countries, [["de", "Germany", 1]])
    const start = () => S.run(pipeline, { ...bench.options("damaged-global"), stateDir })
    await (await start()).close()

    const file = path.join(stateDir, pipeline.name, "state.lmdb")
    const content = readFileSync(file)
    for (let at = content.indexOf("Germany"); at >= 0; at = content.indexOf("Germany", at + 1)) content[at]! ^= 0x55
    writeFileSync(file, content)
    await bench.produce(Orders, [["order-1", "de", 1]])
    await expect((await start()).done).rejects.toThrow("a value on disk is damaged, its checksum does not fit")

    await using _running = await start()
    expect(await bench.consume(Out, 1)).toMatchObject([{ key: "order-1", value: "Germany" }])
  }, 60_000)
})

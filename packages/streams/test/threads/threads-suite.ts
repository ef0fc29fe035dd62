/**
 * A pipeline in worker threads, against a broker, whichever it is.
 */
import { randomBytes } from "node:crypto"
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { Bench, eventually } from "../run/bench.ts"

/** Of today: a broker's retention deletes what is old while the tests run. */
const SINCE = Date.now()
/** Each thread loads all of the runtime, which costs more than a second of a processor. */
const MODULE = new URL("./pipelines.ts", import.meta.url)
/** Between two sends of a load: what it sends has to be read again, and counted. */
const LOAD_INTERVAL_MS = 25

export function threadsSuite(startBench: () => Promise<Bench>): void {
  /** Topics and application of each test are its own. */
  let bench: Bench
  beforeAll(async () => {
    bench = await startBench()
  })
  afterAll(() => bench.close())

  async function setUp() {
    const suffix = `-${randomBytes(4).toString("hex")}`
    process.env["THREADS_SUFFIX"] = suffix
    const module = (await import(`${MODULE.href}?${suffix}`)) as typeof import("./pipelines.ts")
    const admin = bench.client.admin()
    await admin.createTopics([
      { name: module.Words.name, partitions: 4 },
      { name: module.Counts.name, partitions: 1 },
    ])
    const start = (more: Partial<S.WorkersRunOptions> = {}) =>
      S.run(module.counting, { ...bench.options(`threads${suffix}`), workers: 2, module: MODULE, ...more })
    let sent = 0
    const send = async (count: number) => {
      const records = Array.from({ length: count }, () => [`k${sent % 7}`, `w${sent % 20}`, SINCE + sent++] as const)
      await bench.produce(module.Words, records)
    }
    /** Each word's counts are 1, 2, 3 … without a gap or a repetition. */
    const expectCounted = async () => {
      const found = await bench.consume(module.Counts, sent)
      expect(found).toHaveLength(sent)
      const counts = new Map<string, number[]>()
      for (const { key, value } of found) counts.set(key, [...(counts.get(key) ?? []), value!])
      for (const [word, values] of counts) expect(values, word).toEqual(values.map((_, at) => at + 1))
    }
    const count = () => void sent++
    return { ...module, count, sent: () => sent, start, send, expectCounted }
  }

  const spread = (handle: S.WorkersHandle, tasks = 8) =>
    eventually("all tasks run", () => handle.state() === "running" && handle.metrics().tasks === tasks)

  test("E1: workers share the tasks, each a member with ids of its own that survive a restart", async () => {
    const { start, send, expectCounted, counting } = await setUp()
    await using first = await start()
    expect(first.workers).toEqual([0, 1])
    await spread(first)
    const [group] = await bench.client.admin().describeGroups([counting.name])
    const members = group!.members.map(({ groupInstanceId }) => groupInstanceId!).sort()
    expect(members.map((name) => name.slice(-2))).toEqual(["-0", "-1"])
    const transactions = await bench.client.admin().listTransactions()
    expect(transactions.map(({ transactionalId }) => transactionalId)).toEqual(expect.arrayContaining(members))
    await send(400)
    await expectCounted()
    await eventually("figures are those of all threads", () => first.metrics().processed === 800)
    expect(first.metrics()).toMatchObject({ workers: 2, tasks: 8, restoringTasks: 0 })
    expect(first.metrics().perTask.map(({ task }) => task)).toHaveLength(8)
    await first.close()
    expect(first.state()).toBe("not-running")
    await using second = await start()
    await second.untilRunning()
    expect(second.state()).toBe("running")
    await spread(second)
    const [again] = await bench.client.admin().describeGroups([counting.name])
    expect(again!.members.map(({ groupInstanceId }) => groupInstanceId!).sort()).toEqual(members)
    await send(100)
    await expectCounted()
    expect(second.metrics().restoredRecords).toBe(0)
  })

  test("O1: workers come and go under load: tasks move with their state, nothing is lost or doubled", async () => {
    const { start, send, expectCounted, sent } = await setUp()
    await using handle = await start({ workers: 1 })
    await spread(handle)
    const highest = new Map<string, number>()
    let isLoading = true
    const load = (async () => {
      while (isLoading) {
        await send(20)
        // Whichever thread has a word by now: its count has not gone back.
        for (const result of (await handle.query("words", { kind: "range" })).partitions.values()) {
          for (const { key, value } of result.ok ? result.result.rows : []) {
            expect(value, key).toBeGreaterThanOrEqual(highest.get(key) ?? 0)
            highest.set(key, value)
          }
        }
        await new Promise((resolve) => setTimeout(resolve, LOAD_INTERVAL_MS))
      }
    })()
    try {
      expect(await handle.addWorker()).toBe(1)
      await spread(handle)
      expect(await handle.addWorker()).toBe(2)
      await spread(handle)
      expect(await handle.removeWorker(0)).toBe(0)
      expect(handle.workers).toEqual([1, 2])
      await spread(handle)
      expect(await handle.addWorker()).toBe(0)
      expect(await handle.removeWorker()).toBe(2)
      expect(await handle.removeWorker()).toBe(1)
      await spread(handle)
    } finally {
      isLoading = false
    }
    await load
    await expectCounted()
    await expect(handle.removeWorker()).rejects.toThrow(/worker 0 is the last/)
    await expect(handle.removeWorker(5)).rejects.toThrow(/has no worker 5: it has 0/)
    // What workers did that are gone is told too; and whoever got a task found all of its state on disk.
    await eventually("all is in the figures", () => handle.metrics().processed >= 2 * sent())
    expect(handle.metrics().restoredRecords).toBe(0)
    expect(highest.size).toBe(20)
  })

  test.each(["stop", "replace"] as const)(
    "a worker that dies in the middle loses nothing and counts nothing twice: %s",
    async (action) => {
      const { start, send, expectCounted, Words, DEADLY, count } = await setUp()
      const file = path.join(bench.directory, `deadly-${action}`)
      writeFileSync(file, "")
      const told: unknown[] = []
      const onUncaught = (failure: unknown) => {
        told.push(failure)
        return action
      }
      const first = await start({ onUncaught })
      await spread(first)
      await send(300)
      await bench.produce(Words, [["k", DEADLY + file, SINCE]])
      count()
      await send(300)
      if (action === "replace") {
        await expectCounted()
        await spread(first)
        expect(first.workers).toEqual([0, 1])
        await first.close()
      } else {
        await expect(first.done).rejects.toThrow(/^worker [01] died: it exited with 7$/)
        expect(first.state()).toBe("error")
        await using second = await start()
        await send(100)
        await expectCounted()
        await second.close()
      }
      expect(told).toEqual([expect.any(S.WorkerDied)])
    },
  )

  test("a pipeline that fails in a thread ends the run with its error, by name and record", async () => {
    const { start, Words, BAD } = await setUp()
    const asked: number[] = []
    const handle = await start({
      onUncaught: (failure, count) => {
        expect(failure).toBeInstanceOf(S.ProcessingError)
        return asked.push(count) < 2 ? "replace" : "stop"
      },
    })
    await spread(handle)
    await bench.produce(Words, [["k", BAD, SINCE]])
    const failure = await handle.done.catch((cause: unknown) => cause)
    expect(failure).toBeInstanceOf(S.ProcessingError)
    expect((failure as S.ProcessingError).message).toMatch(/operator "tap-1", record threads-.*: no such word: bad$/)
    expect((failure as S.ProcessingError).site.operator).toBe("tap-1")
    expect(asked).toEqual([1, 2])
    expect(handle.workers).toEqual([])
  })

  test("KIP-834: a paused run takes nothing in, workers that are added neither", async () => {
    const { start, send, expectCounted } = await setUp()
    await using handle = await start({ workers: 1 })
    await spread(handle)
    handle.pause()
    expect(handle.isPaused).toBe(true)
    await handle.addWorker()
    await spread(handle)
    await send(50)
    const before = handle.metrics().processed
    await eventually("figures were told again", () => handle.metrics().perTask.some(({ inputLag }) => inputLag > 0))
    expect(handle.metrics().processed).toBe(before)
    handle.resume()
    await expectCounted()
  })

  test("Q1 Q3 Q10: a store is read through the handle, whichever thread has the partition", async () => {
    const { start, send, expectCounted, counting } = await setUp()
    await using handle = await start()
    // Nothing moves any more: what is on its way from one thread to the other is in neither.
    await eventually("each has its half", async () => {
      const [group] = await bench.client.admin().describeGroups([counting.name])
      return group!.members.length === 2 && group!.members.every(({ partitions }) => partitions.length === 4)
    })
    await spread(handle)
    await send(100)
    await expectCounted()
    const words = handle.store<string, number>("words")
    expect(await words.partitions()).toEqual([0, 1, 2, 3])
    expect([await words.get("w3"), await words.get("nobody")]).toEqual([5, undefined])
    expect(await words.row("w19")).toEqual({ key: "w19", value: 5, timestamp: SINCE + 99 })
    const keys = async (rows: AsyncIterable<S.Row<string, number>>) => {
      const found: string[] = []
      for await (const { key } of rows) found.push(key)
      return found
    }
    const all = Array.from({ length: 20 }, (_, at) => `w${at}`).sort()
    expect(await keys(words.all())).toEqual(all)
    expect(await keys(words.all({ order: "desc" }))).toEqual(all.toReversed())
    expect(await keys(words.range({ from: "w15", to: "w3" }))).toEqual(all.filter((key) => key >= "w15" && key <= "w3"))
    expect(await keys(words.prefix("w1"))).toEqual(all.filter((key) => key.startsWith("w1")))
    await expect(keys(words.fetchAll())).rejects.toThrow(/words/)
    expect(() => handle.store("none")).toThrow(/has no store "none"; its stores: "words"/)
    expect(await handle.lags()).toEqual(
      [0, 1, 2, 3].map((partition) => ({ store: "words", partition, role: "active", lag: 0 })),
    )
  })

  test("a table's rows and changes come in order, whichever thread commits them and wherever tasks move", async () => {
    const { start, send, expectCounted } = await setUp()
    const handle = await start({ workers: 1 })
    await spread(handle)
    await send(100)
    await expectCounted()
    const told = new Map<string, number[]>()
    let isComplete = false
    handle.changes<string, number>("words").subscribe({
      next: ({ key, value }) => told.set(key, [...(told.get(key) ?? []), value!]),
      complete: () => (isComplete = true),
    })
    const isTold = (count: number) => told.size === 20 && [...told.values()].every((list) => list.at(-1) === count)
    await eventually("all rows are told", () => isTold(5))
    for (const move of [() => handle.addWorker(), () => handle.addWorker(), () => handle.removeWorker(0)]) {
      await send(100)
      await move()
      await send(100)
      await spread(handle)
    }
    await expectCounted()
    await eventually("all changes are told", () => isTold(35))
    // A partition that comes to another thread begins with its rows, so that a value may be told twice; none goes back.
    for (const [word, list] of told) expect(list, word).toEqual(list.toSorted((left, right) => left - right))
    const late: number[] = []
    handle.changes<string, number>("words").subscribe(({ value }) => late.push(value!))
    await eventually("who comes later has the rows", () => late.length === 20)
    await handle.close()
    expect([isComplete, new Set(late)]).toEqual([true, new Set([35])])
  })

  test("IQ: whichever thread has a row, the handle and the process's endpoint answer", async () => {
    const { start, send, expectCounted } = await setUp()
    await using handle = await start({ queries: { listen: "127.0.0.1:0" } })
    await spread(handle)
    await send(100)
    await expectCounted()
    const counted = async () => {
      const all = await handle.query("words", { kind: "range" })
      expect([...all.partitions.keys()]).toEqual([0, 1, 2, 3])
      const rows = [...all.partitions.values()].flatMap((one) => (one.ok ? one.result.rows : []))
      return new Map(rows.map(({ key, value }) => [key, value]))
    }
    // What is committed is in the topic first, and in the store once its thread has heard of it.
    await expect
      .poll(counted, { timeout: 10_000 })
      .toEqual(new Map(Array.from({ length: 20 }, (_, at) => [`w${at}`, 5])))
    for (const word of ["w1", "w2", "w3", "w4"]) {
      const { partition, isHere, endpoint } = handle.metadataForKey("words", word)
      expect([isHere, endpoint]).toEqual([true, handle.endpoint])
      const found = await handle.query("words", { kind: "key", key: word }, { partitions: [partition] })
      expect(found.partitions.get(partition)).toMatchObject({ ok: true, result: { key: word, value: 5 } })
      const response = await fetch(`http://${handle.endpoint}/stores/words/${word}`)
      expect(await response.json()).toMatchObject({ partition, key: word, value: 5 })
    }
    expect((await fetch(`http://${handle.endpoint}/stores/words/nobody`)).status).toBe(404)
    const missing = await handle.query("words", { kind: "range" }, { partitions: [9] })
    expect(missing.partitions.get(9)).toMatchObject({ ok: false, reason: "DOES_NOT_EXIST" })
    await expect(handle.query("none", { kind: "range" })).rejects.toThrow(/no store "none"/)
    const text = await (await fetch(`http://${handle.endpoint}/metrics`)).text()
    expect(text).toContain(`millrace_streams_workers{application="${handle.applicationId}"} 2\n`)
  })

  test.each([
    ["no workers", { workers: 0 }, /workers 0: expected a whole number, at least 1/],
    ["a module that is no URL", { module: "./pipelines.ts" }, /module .\/pipelines.ts: expected the URL of the file/],
    ["a network of one's own", { net: {} as never }, /net cannot be sent to worker threads/],
    ["services", { services: {} as never }, /export const runOptions = { services } from its module/],
    ["an assignor", { assignor: {} as never }, /export const runOptions = { assignor } from its module/],
    ["a registry of one's own", { registry: {} as never }, /export const runOptions = { registry }/],
    ["a store of snapshots", { snapshots: { to: {} as never, every: 1 } }, /export const runOptions = { snapshots }/],
  ] as const)("it refuses %s", async (_, more, message) => {
    const { start } = await setUp()
    await expect(start(more as Partial<S.WorkersRunOptions>)).rejects.toThrow(message)
  })

  test("a start that failed leaves the directory to the next", async () => {
    const { start } = await setUp()
    await expect(start({ module: new URL("./none.ts", MODULE) })).rejects.toThrow(/exports no pipeline "threads-app/)
    await using handle = await start({ workers: 1 })
    expect(handle.workers).toEqual([0])
  })
}

/**
 * What operators of a running pipeline see and do: states, pausing, figures, and the end of state that is not needed.
 */
import { json, string } from "@millrace/schema"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as S from "../../src/index.ts"
import { LmdbEngines } from "../../src/state/lmdb-engine.ts"
import { Bench, eventually } from "./bench.ts"

let bench: Bench
beforeAll(async () => {
  bench = await Bench.start()
})
afterAll(() => bench.close())

const counting = (name: string) => {
  const In = S.topic(`${name}-in`, { key: string, value: json<number>() })
  const counts = S.stream(In).pipe(
    S.filter((value) => value >= 0),
    S.count("counts"),
  )
  return { In, counts, pipeline: S.pipeline(name, () => counts) }
}

test("O4: the states of a run are told in order, and the last one stays", async () => {
  const { In, counts, pipeline } = counting("states")
  await bench.createTopics({ [In.name]: 2 })
  const seen: string[] = []
  const onStateChange = (state: S.RunState, before: S.RunState) => {
    seen.push(`${before} -> ${state}`)
    throw new Error("a listener that throws is its own matter")
  }
  const running = await S.run(pipeline, bench.options("states", { onStateChange }))
  expect(() => running.store(counts).get("a")).toThrow(
    /^store "counts": partition \d is not here; this process is rebalancing or restoring: `await handle.untilRunning\(\)` first$/,
  )
  await running.untilRunning()
  expect([running.state(), running.store(counts).get("a")]).toEqual(["running", undefined])
  await running.close()
  await expect(running.untilRunning()).rejects.toThrow(/"states" was closed before it was running/)
  expect(seen).toEqual([
    "created -> rebalancing",
    "rebalancing -> running",
    "running -> pending-shutdown",
    "pending-shutdown -> not-running",
  ])
  expect(running.state()).toBe("not-running")
})

test("O4: a process without tasks is running too", async () => {
  const { In, pipeline } = counting("spare")
  await bench.createTopics({ [In.name]: 1 })
  await using first = await S.run(pipeline, bench.options("spare-1"))
  await eventually("the first runs", () => first.state() === "running")
  await using second = await S.run(pipeline, bench.options("spare-2"))
  await eventually("both run", () => first.state() === "running" && second.state() === "running")
  expect([first.metrics().tasks, second.metrics().tasks].sort()).toEqual([0, 1])
})

test("O2: a paused run takes nothing in and stays in its group; what it has is committed", async () => {
  const { In, counts, pipeline } = counting("paused")
  await bench.createTopics({ [In.name]: 1 })
  await using running = await S.run(pipeline, bench.options("paused", { sessionTimeoutMs: 10_000 }))
  await eventually("it runs", () => running.state() === "running")
  await bench.produce(In, [["a", 1, 1]])
  await eventually("the first is counted", () => running.store(counts).get("a") === 1)
  running.pause()
  expect([running.isPaused, running.state()]).toEqual([true, "running"])
  await bench.produce(In, [["a", 1, 2]])
  await eventually("the second is fetched", () => running.metrics().perTask[0]!.buffered === 1)
  expect([running.metrics().processed, running.store(counts).get("a")]).toEqual([1, 1])
  running.resume()
  await eventually("the second is counted", () => running.store(counts).get("a") === 2)
  expect(running.metrics().processed).toBe(2)
})

test("O6: figures: what was processed, how late, what it takes, and what commits took", async () => {
  const { In, pipeline } = counting("figures")
  await bench.createTopics({ [In.name]: 1 })
  await using running = await S.run(pipeline, bench.options("figures", { metricsLevel: "debug" }))
  await bench.produce(In, [
    ["a", 1, 100],
    ["b", -1, 40],
    ["a", 1, 90],
    ["c", 1, 120],
  ])
  await eventually("all is committed", () => {
    const { processed, transactions, perTask } = running.metrics()
    return processed === 4 && transactions.committed > 0 && perTask[0]!.inputLag === 0
  })
  const metrics = running.metrics()
  // Behind 100 are 40 and 90.
  expect([metrics.latenessMsSum, metrics.latenessMsMax]).toEqual([70, 60])
  expect(metrics.perTask[0]).toMatchObject({ task: "0_0", processed: 4, operators: { "filter-1": 4, counts: 3 } })
  expect(metrics.perTask[0]!.stores).toMatchObject([{ store: "counts", entries: 2 }])
  expect(metrics.perTask[0]!.stores[0]!.bytes).toBeGreaterThan(0)
  expect(metrics.processRate).toBeGreaterThan(0)
  const { count, buckets, sumMs, maxMs } = metrics.commitLatency
  expect(count).toBe(metrics.transactions.committed)
  expect([buckets.at(-1), sumMs > 0, maxMs <= sumMs]).toEqual([count, true, true])
})

test("O6: counts of tasks that left are not lost", async () => {
  const { In, pipeline } = counting("left")
  await bench.createTopics({ [In.name]: 2 })
  await using first = await S.run(pipeline, bench.options("left-1"))
  const keys = Array.from({ length: 20 }, (_, at) => `k${at}`)
  await bench.produce(
    In,
    keys.map((key) => [key, 1, 1]),
  )
  await eventually("all is counted", () => first.metrics().processed === 20)
  await using second = await S.run(pipeline, bench.options("left-2"))
  await eventually("a task moved", () => first.metrics().tasks === 1 && second.metrics().tasks === 1)
  expect(first.metrics().processed).toBe(20)
  expect(first.metrics().perTask.reduce((sum, { processed }) => sum + processed, 0)).toBeLessThan(20)
})

test("O6: Prometheus' text: each metric once, with its type, and its labels escaped", async () => {
  const { In, pipeline } = counting("scraped")
  await bench.createTopics({ [In.name]: 1 })
  await using running = await S.run(pipeline, bench.options("scraped", { queries: { listen: "127.0.0.1:0" } }))
  await bench.produce(In, [["a", 1, 1]])
  await eventually("it is committed", () => running.metrics().transactions.committed > 0)
  const response = await fetch(`http://${running.endpoint}/metrics`)
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0.0.4/)
  const text = await response.text()
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name]) => name)
  expect(new Set(types).size).toBe(types.length)
  expect(text).toContain('millrace_streams_process_total{application="scraped"} 1\n')
  expect(text).toContain('millrace_streams_dropped_records_total{application="scraped",reason="late"} 0\n')
  expect(text).toContain('millrace_streams_store_entries{application="scraped",task="0_0",store="counts"} 1\n')
  expect(text).toMatch(/millrace_streams_commit_latency_ms_bucket\{application="scraped",le="\+Inf"\} [1-9]/)
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
  for (const sample of samples) expect(sample).toMatch(/^[a-z_]+\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\} -?[\d.e+-]+$/)
  const two = S.prometheusText(new Map([['a"b\\c', running.metrics()]]))
  expect(two).toContain('millrace_streams_process_total{application="a\\"b\\\\c"} 1\n')
})

test("S11: state of a task that has been elsewhere for a while is freed, and is restored when it comes back", async () => {
  const { In, counts, pipeline } = counting("cleaned")
  await bench.createTopics({ [In.name]: 2 })
  const keys = Array.from({ length: 20 }, (_, at) => `k${at}`)
  const freed: string[] = []
  const log = (message: string) => void (message.includes("is freed") && freed.push(message))
  const flushLimits = { memtableBytesMax: 1, memtableAgeMs: 1 }
  const first = await S.run(pipeline, bench.options("cleaned-1", { stateCleanupDelayMs: 200, log, flushLimits }))
  await bench.produce(
    In,
    keys.map((key) => [key, 1, 1]),
  )
  await eventually("all is counted", () => [...first.store(counts).all()].length === 20)
  const second = await S.run(pipeline, bench.options("cleaned-2"))
  await eventually("a task moved", () => first.metrics().tasks === 1 && second.metrics().tasks === 1)
  const kept = first.store(counts).partitions
  await eventually("its state is freed", () => freed.length === 1)
  expect(freed[0]).toContain(`store counts, partition ${1 - kept[0]!}`)
  await second.close()
  await eventually("the task is back", () => first.metrics().tasks === 2)
  expect([...first.store(counts).all()].map(({ value }) => value)).toEqual(keys.map(() => 1))
  await first.close()
  expect(freed).toHaveLength(1)
  const engines = new LmdbEngines(`${bench.directory}/cleaned-1/cleaned/state.lmdb`)
  expect(
    engines
      .list()
      .map(({ partition }) => partition)
      .sort(),
  ).toEqual([0, 1])
  await engines.close()
})

test("T9: a partition whose records wait is paused, and goes on when they are used up", async () => {
  const { In, counts, pipeline } = counting("paused-partitions")
  await bench.createTopics({ [In.name]: 2 })
  for (let batch = 0; batch < 20; batch++) {
    await bench.produce(
      In,
      Array.from({ length: 10 }, (_, id) => [`k${id}`, batch, batch] as const),
    )
  }
  await using running = await S.run(pipeline, bench.options("paused-partitions", { bufferedRecordsMax: 1 }))
  const rows = () => [...running.store(counts).range()].map(({ value }) => value)
  await eventually("all is counted", () => rows().length === 10 && rows().every((count) => count === 20))
})

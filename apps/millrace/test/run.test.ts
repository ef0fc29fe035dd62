/**
 * What `millrace run` shows and serves beside its pipelines, on the real command.
 */
import { existsSync, readdirSync } from "node:fs"
import { afterAll, expect, it, vi } from "vitest"
import { jsonLine, liveLines, plainLine, type RunView } from "../src/run-display.ts"
import { clipped, LiveBlock } from "../src/terminal.ts"
import { killServers, millrace, PIPELINES, scratchDirectory, serve, type Serving } from "./support/process.ts"

const scratch = scratchDirectory()
const anyPort = "127.0.0.1:0"

afterAll(() => {
  killServers()
  scratch.remove()
})

async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const end = performance.now() + 60_000
  for (;;) {
    const found = await ask()
    if (found !== undefined) return found
    if (performance.now() > end) throw new Error(`it did not happen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

it("serves queries and metrics, and prints its figures as JSON", async () => {
  const where = ["--data", `${scratch.path}/data`, "--state", `${scratch.path}/state`, "--kafka", anyPort]
  const more = ["--queries", anyPort, "--metrics", anyPort, "--json"]
  const running = await serve(["run", `${PIPELINES}/words.ts`, ...where, ...more])
  const { kafka, queries, metrics } = running.ready
  // Ready says that tasks run: four for the lines, four for the words.
  expect(await (await fetch(metrics!)).text()).toContain(
    'millrace_streams_tasks{application="words",state="running"} 8\n',
  )
  expect((await millrace(["produce", "lines", "--brokers", kafka!], { input: "k:to be or not to be\n" })).code).toBe(0)
  const row = await until("the words are counted", async () => {
    const response = await fetch(`${queries}/stores/counts/be`)
    const body = (await response.json()) as { value?: number }
    return body.value === 2 ? body : undefined
  })
  expect(row).toMatchObject({ key: "be", value: 2 })
  // One line, and six words that come back through the repartition topic.
  const total = 'millrace_streams_process_total{application="words"} 7\n'
  await until("all is processed", async () => (await (await fetch(metrics!)).text()).includes(total) || undefined)
  expect((await fetch(new URL("/", metrics))).status).toBe(404)
  const figures = await until("the figures are printed", () => {
    const lines = running.text.stdout.split("\n").slice(1, -1)
    return lines.map((line) => JSON.parse(line)).find(({ processed }) => processed === 7)
  })
  expect(figures).toMatchObject({ application: "words", state: "running", lag: 0 })
  expect((await running.stop()).code).toBe(0)
})

it("runs a module in worker threads, answers for all of them, and drains", async () => {
  const where = ["--data", `${scratch.path}/threads`, "--state", `${scratch.path}/threads-state`, "--kafka", anyPort]
  const more = ["--queries", anyPort, "--metrics", anyPort, "--json", "--workers", "2"]
  const running = await serve(["run", `${PIPELINES}/words.ts`, ...where, ...more])
  const { kafka, queries, metrics } = running.ready
  expect((await millrace(["produce", "lines", "--brokers", kafka!], { input: "k:to be or not to be\n" })).code).toBe(0)
  // The first word is "k:to".
  const words = ["to", "be", "or", "not"]
  const counts = await until("the words are counted, in whichever thread", async () => {
    const found = await Promise.all(
      words.map(async (word) => await (await fetch(`${queries}/stores/counts/${word}`)).json()),
    )
    const values = found.map((row) => (row as { value?: number }).value)
    return values.reduce((sum: number, value) => sum + (value ?? 0), 0) === 5 ? values : undefined
  })
  expect(counts).toEqual([1, 2, 1, 1])
  expect(await (await fetch(metrics!)).text()).toContain('millrace_streams_workers{application="words"} 2\n')
  const figures = await until("the figures are printed", () => {
    const lines = running.text.stdout.split("\n").slice(1, -1)
    return lines.map((line) => JSON.parse(line)).find(({ processed }) => processed === 7)
  })
  expect(figures).toMatchObject({ application: "words", state: "running", workers: 2 })
  const ended = await running.stop()
  expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringMatching(/^millrace: /m)])
})

it("says that the cluster is away, and that it is back", async () => {
  const data = ["--data", `${scratch.path}/leaving`]
  const broker = await serve(["broker", ...data, "--listen", anyPort])
  const at = broker.ready["kafka"]!
  const where = ["--brokers", at, "--create-topics", "1", "--state", `${scratch.path}/leaving-state`]
  const running = await serve(["run", `${PIPELINES}/words.ts`, ...where])
  await broker.stop("SIGKILL")
  const said = (what: RegExp) => until(`${what} is said`, () => what.test(running.text.stderr) || undefined)
  await said(/^millrace: no broker answers at 127\.0\.0\.1:\d+: connection refused; waiting$/m)
  await serve(["broker", ...data, "--listen", at])
  await said(/^millrace: a broker answers again at 127\.0\.0\.1:\d+$/m)
  expect((await millrace(["produce", "lines", "--brokers", at], { input: "to be\n" })).code).toBe(0)
  expect((await millrace(["consume", "word-counts", "--max", "2", "--brokers", at])).code).toBe(0)
  expect((await running.stop()).code).toBe(0)
})

it.each([
  ["in a worker thread", ["--workers", "1"]],
  ["in the one thread there is", []],
])(
  "gives effects the services that the module exports, %s",
  async (_, threads) => {
    const name = `services-${threads.length}`
    const where = ["--data", `${scratch.path}/${name}`, "--state", `${scratch.path}/${name}-state`, "--kafka", anyPort]
    const running = await serve(["run", `${PIPELINES}/services.ts`, ...where, ...threads])
    const there = ["--brokers", running.ready["kafka"]!]
    expect((await millrace(["produce", "names", ...there], { input: "ann\n" })).code).toBe(0)
    expect((await millrace(["consume", "greetings", "--max", "1", ...there])).stdout).toBe("hello ann\n")
    expect((await running.stop()).code).toBe(0)
  },
  120_000,
)

it("keeps copies of state in a second process, as its settings say", async () => {
  const broker = await serve(["broker", "--data", `${scratch.path}/standby`, "--listen", anyPort])
  const where = ["--brokers", broker.ready["kafka"]!, "--create-topics", "2", "--set", "num.standby.replicas=1"]
  const start = (at: number) =>
    serve(["run", `${PIPELINES}/words.ts`, ...where, "--state", `${scratch.path}/standby-${at}`, "--json"])
  const both = [await start(1), await start(2)]
  // Of two tasks with a store each, one runs here and one there, and each has its copy on the other side.
  const figures = ({ text }: Serving) =>
    JSON.parse(
      text.stdout
        .trim()
        .split("\n")
        .at(-1)!
        .replace(/^ready .*/, "{}"),
    )
  await until("each has tasks and copies", () =>
    both.every((one) => figures(one).tasks === 2 && figures(one).standbyTasks === 1) ? true : undefined,
  )
  for (const one of both) expect((await one.stop()).code).toBe(0)
})

it("begins with a snapshot on an empty disk, in worker threads too", async () => {
  const snapshots = `${scratch.path}/snapshots`
  const start = (state: string) => {
    const where = ["--data", `${scratch.path}/copied`, "--state", `${scratch.path}/${state}`, "--kafka", anyPort]
    const more = [
      "--snapshots",
      snapshots,
      "--set",
      "snapshot.interval.ms=1000",
      "--workers",
      "1",
      "--queries",
      anyPort,
    ]
    return serve(["run", `${PIPELINES}/words.ts`, ...where, ...more])
  }
  const count = async ({ ready }: Serving) => {
    const body = (await (await fetch(`${ready["queries"]}/stores/counts/be`)).json()) as { value?: number }
    return body.value
  }
  const first = await start("copied-state")
  const input = { input: "k:to be or not to be\n" }
  expect((await millrace(["produce", "lines", "--brokers", first.ready["kafka"]!], input)).code).toBe(0)
  await until("the words are counted", async () => (await count(first)) === 2 || undefined)
  // An orderly end writes state to the disk, and whoever starts on it has something to copy.
  expect((await first.stop()).code).toBe(0)
  const second = await start("copied-state")
  const written = () =>
    existsSync(snapshots) && readdirSync(snapshots, { recursive: true, encoding: "utf8" }).some(isManifest)
  await until("a snapshot is written", () => written() || undefined)
  expect((await second.stop()).code).toBe(0)
  const third = await start("empty-state")
  expect(await until("the words are there", async () => await count(third))).toBe(2)
  const { code, stderr } = await third.stop()
  expect(code).toBe(0)
  expect(stderr).toMatch(/^store counts-\d begins with a snapshot of \d+ rows/m)
})

const isManifest = (name: string) => name.startsWith("words/counts-") && name.endsWith("/manifest")

it.each([
  ["in a worker thread", ["--set", "num.stream.threads=1"]],
  ["in the one thread there is", []],
])(
  "names what fails %s, and the line of the module",
  async (_, threads) => {
    const name = `failing-${threads.length}`
    const where = ["--data", `${scratch.path}/${name}`, "--state", `${scratch.path}/${name}-state`, "--kafka", anyPort]
    const running = await serve(["run", `${PIPELINES}/fails.ts`, ...where, ...threads])
    const { kafka } = running.ready
    expect((await millrace(["produce", "numbers", "--brokers", kafka!], { input: "k:nine\n" })).code).toBe(0)
    const { code, stderr } = await running.ended
    expect(code).toBe(1)
    expect(stderr.trim().split("\n").at(-1)).toMatch(
      /^millrace: pipeline "fails", operator "map-1", record numbers-\d@0: k:nine is no number, at \S+fails\.ts, line 10; how to skip such records/,
    )
  },
  120_000,
)

it.each([
  ["no number of workers", ["--workers", "few"], 2, /--workers few: expected a whole number, at least 1/],
  [
    "a protocol that is none",
    ["--group-protocol", "consumer"],
    2,
    /--group-protocol consumer: expected classic or streams/,
  ],
  ["no workers", ["--workers", "0"], 2, /--workers 0: expected a whole number, at least 1/],
  ["an address that is none", ["--queries", "here"], 2, /--queries here: expected HOST:PORT/],
  ["an address that is none", ["--metrics", "9:9:9"], 2, /--metrics 9:9:9: expected HOST:PORT/],
  ["an address nobody reaches", ["--queries", "0.0.0.0:0"], 1, /queries.listen 0.0.0.0:0 is no address to reach it by/],
])("refuses %s", async (_, args, code, message) => {
  const where = ["--data", `${scratch.path}/bad`, "--state", `${scratch.path}/bad-state`, "--kafka", anyPort]
  const ended = await millrace(["run", `${PIPELINES}/words.ts`, ...where, ...args])
  const lines = ended.stderr.split("\n").filter((line) => line !== "" && !line.includes(" INFO  made a new cluster "))
  expect([ended.code, lines]).toEqual([code, [expect.stringMatching(message)]])
})

const task = (name: string) => ({
  task: name,
  processed: 1_234,
  emitted: 0,
  deadLetters: 0,
  changelogged: 0,
  latenessMsSum: 0,
  latenessMsMax: 0,
  dropped: { late: 0, "null-key": 0, tombstone: 0, skipped: 0 },
  buffered: 0,
  waiting: 0,
  inputLag: 5,
  awaited: [],
  stores: [{ store: "counts", entries: 10, bytes: 2_048 }],
  operators: {},
})

const view = (tasks: number): RunView => ({
  application: "words",
  state: "running",
  metrics: {
    ...task("0_0"),
    dropped: { ...task("0_0").dropped, late: 3 },
    tasks,
    restoringTasks: 1,
    restoredRecords: 0,
    standbyTasks: 0,
    warmupTasks: 0,
    workers: 1,
    transactions: { committed: 2, aborted: 1 },
    processRate: 99.6,
    commitLatency: { count: 2, sumMs: 9, maxMs: 6, buckets: [] },
    perTask: Array.from({ length: tasks }, (_, at) => task(`0_${at}`)),
    restoring: [{ task: "1_0", store: "rows", partition: 0, restored: 7, remaining: 1_000 }],
  } as RunView["metrics"],
})

it("a plain line tells throughput, lag, state and losses", () => {
  expect(plainLine(view(2))).toBe(
    "words running: 1,234 records, 100/s, lag 10, 2 tasks (1 restoring, 1,000 left), 2 commits, commit 5 ms (most 6 ms), 1 aborts, dropped 3 late",
  )
  const { metrics } = view(1)
  const waiting = { ...metrics, deadLetters: 4, perTask: [{ ...metrics.perTask[0]!, waiting: 8 }] }
  expect(plainLine({ ...view(1), metrics: waiting })).toMatch(/1 aborts, 8 waiting, dropped 3 late, 4 dead letters$/)
  expect(JSON.parse(jsonLine(view(1)))).toMatchObject({
    application: "words",
    state: "running",
    lag: 5,
    processed: 1_234,
  })
})

it("a block tells each task with its state, and what is being restored", () => {
  const lines = liveLines(view(20))
  expect(lines).toHaveLength(1 + 16 + 1 + 1)
  expect(lines[1]).toMatch(/0_0 .*1,234 records {2}lag 5 .*counts 10 rows 2.0 KB/)
  expect(lines[17]).toContain("4 tasks more")
  expect(lines[18]).toMatch(/1_0 +restoring rows: 7 records read, 1,000 left/)
})

it("a terminal that has no size is shown everything", () => {
  const columns = Object.getOwnPropertyDescriptor(process.stdout, "columns")
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true)
  try {
    Object.defineProperty(process.stdout, "columns", { value: 0, configurable: true })
    new LiveBlock().show(["words running"])
    expect(write.mock.calls).toEqual([[expect.stringContaining("words running")]])
  } finally {
    write.mockRestore()
    if (columns === undefined) delete (process.stdout as { columns?: number }).columns
    else Object.defineProperty(process.stdout, "columns", columns)
  }
})

it("what is clipped to a width keeps its colours", () => {
  expect(clipped("\u001b[1mabc\u001b[0mdef", 4)).toBe("\u001b[1mabc\u001b[0md")
  expect(clipped("ab", 5)).toBe("ab")
})

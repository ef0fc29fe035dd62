/**
 * `millrace reset` on the real command; what it does to a cluster is tested in packages/streams.
 */
import { afterAll, beforeAll, expect, it } from "vitest"
import { killServers, millrace, PIPELINES, scratchDirectory, serve, type Serving } from "./support/process.ts"

const scratch = scratchDirectory()
let broker: Serving

beforeAll(async () => {
  broker = await serve(["broker", "--data", `${scratch.path}/data`, "--listen", "127.0.0.1:0"])
  await cli("topic create lines word-counts --partitions 1")
})

afterAll(() => {
  killServers()
  scratch.remove()
})

const cli = (args: string, input?: string) =>
  millrace([...args.split(" "), "--brokers", broker.ready["kafka"]!], input === undefined ? {} : { input })

it("shows what it would do, does it when told so, and the application starts over", async () => {
  const state = `--state ${scratch.path}/state`
  const countOnce = async () => {
    const running = await serve([
      "run",
      `${PIPELINES}/words.ts`,
      ...`--brokers ${broker.ready["kafka"]} ${state}`.split(" "),
    ])
    const { stdout } = await cli(`consume word-counts --max ${(expected += 2)}`)
    expect((await running.stop()).code).toBe(0)
    return stdout.trim().split("\n")
  }
  let expected = 0
  expect((await cli("produce lines", "k:b a\n")).code).toBe(0)
  await countOnce()
  const dry = await cli(`reset words ${state} --dry-run`)
  expect(dry).toMatchObject({ code: 0, stderr: "" })
  expect(dry.stdout).toMatch(/^lines +0 +\d+ +0$/m)
  expect(dry.stdout).toMatch(/^words-counts-changelog\nwords-counts-repartition$/m)
  expect(dry.stdout).toContain("/state/words/state.lmdb")
  expect((await cli("topic list")).stdout).toContain("words-counts-changelog")
  const unasked = await cli(`reset words ${state}`, "")
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringMatching(/say --yes/)])
  const done = await cli(`reset words ${state} --yes`)
  expect([done.code, done.stderr]).toEqual([0, ""])
  expect(done.stdout).toMatch(/application words starts over\n$/)
  expect((await cli("topic list")).stdout).not.toContain("words-counts-changelog")
  expect(await countOnce()).toHaveLength(4)
})

it.each([
  ["two targets", "reset words --to-latest --to-earliest", 2, /choose one of them/],
  ["a time that is none", "reset words --to-datetime yesterday", 2, /--to-datetime yesterday: expected YYYY/],
  ["a topic that is not there", "reset words --input-topics none", 1, /topic "none" does not exist/],
  ["an empty name", "reset words --input-topics lines,,x", 2, /a name is missing/],
  ["an application that is not there", "reset nobody", 1, /there is nothing of an application nobody/],
])("refuses %s", async (_, args, code, message) => {
  const ended = await cli(args)
  expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(message)])
  expect(ended.stderr.trim().split("\n")).toHaveLength(1)
})

it("shows its plan while the application runs, and does it when its broker has gone with it", async () => {
  const [state, data] = [`--state ${scratch.path}/own-state`, `--data ${scratch.path}/own`]
  const start = () =>
    serve([
      "run",
      `${PIPELINES}/words.ts`,
      ...`${state} ${data} --kafka 127.0.0.1:0 --set session.timeout.ms=6000 --set transaction.timeout.ms=6000`.split(
        " ",
      ),
    ])
  const own = (args: string, at = data) => millrace(`reset words ${state} ${at} ${args}`.trim().split(" "))
  const first = await start()
  const brokers = `--brokers ${first.ready["kafka"]}`
  await millrace(["produce", "lines", ...brokers.split(" ")], { input: "a\n" })
  await millrace(`consume word-counts --max 1 ${brokers}`.split(" "))
  const shown = await own("--dry-run", brokers)
  expect([shown.code, shown.stderr]).toEqual([0, ""])
  expect(shown.stdout).toMatch(/^words-counts-changelog$/m)
  expect(shown.stdout).toMatch(/^Not now\napplication words is running \(.*\): stop it first; [^\n]*\n$/m)
  expect(await own("--yes", brokers)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/is running/),
    stdout: "",
  })
  const inUse = await own("--yes")
  expect([inUse.code, inUse.stderr]).toEqual([1, expect.stringMatching(/^millrace: .*own.* is in use by [^\n]*\n$/)])
  // Killed, it is a member until its session ends, and the broker that knows that is gone too.
  await first.stop("SIGKILL")
  const gone = await own("--yes", brokers)
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringMatching(/connection refused; .* say by --data where/)])
  const done = await own("--yes")
  expect(done.stderr).toBe("application words was killed: waiting until its session ends\n")
  expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(/application words starts over\n$/)])
  const second = await start()
  const there = `--brokers ${second.ready["kafka"]}`
  const counts = await millrace(`consume word-counts --max 2 --json ${there}`.split(" "))
  const rows = counts.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
  const one = { key: "a", value: "\0\0\0\0\0\0\0\x01" }
  expect(rows).toMatchObject([one, one])
  expect((await second.stop()).code).toBe(0)
}, 60_000)

it.each([
  ["a directory without a log", "--data nowhere", 1, /--data nowhere: no broker has kept its log there/],
  ["two clusters", "--data nowhere --brokers 127.0.0.1:1", 2, /choose one/],
])("refuses %s", async (_, args, code, message) => {
  const ended = await millrace(`reset words ${args}`.split(" "))
  expect([ended.code, ended.stderr]).toEqual([code, expect.stringMatching(message)])
})

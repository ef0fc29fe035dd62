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

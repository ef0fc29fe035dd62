/**
 * The main job on somebody's cluster, as a user starts it: nothing lost, nothing counted twice, and no topic left behind.
 * And the proof that it would notice: without transactions the same crashes count flights twice.
 */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { expect, it } from "vitest"

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url))
const run = promisify(execFile)
const brokers = process.env["MILLRACE_TEST_BROKERS"]!

it("counts every flight exactly once, killed twice inside open transactions", { timeout: 180_000 }, async () => {
  const { stdout } = await run(process.execPath, [MAIN, "--brokers", brokers])
  const last = stdout.trim().split("\n").at(-1)!
  expect(last).toMatch(/^RESULT /)
  expect(JSON.parse(last.slice("RESULT ".length))).toMatchObject({
    records: 20_000,
    counted: 20_000,
    lost: 0,
    duplicated: 0,
    crashes: 2,
  })
  const client = new KafkaClient({ host: nodeHost, brokers })
  const topics = await client.admin().listTopics()
  await client.close()
  expect(topics.filter((topic) => /flight|airport|connect-.*(offsets|configs)$/.test(topic))).toEqual([])
})

it("tells duplicates without transactions, and what is wrong with its options", { timeout: 180_000 }, async () => {
  const failed = (...args: string[]) =>
    run(process.execPath, [MAIN, ...args]).then(
      () => expect.fail("it ended with 0"),
      (error: { code: number; stdout: string; stderr: string }) => error,
    )
  const { code, stdout } = await failed("--guarantee", "at_least_once")
  expect(code).toBe(1)
  const result = JSON.parse(stdout.slice(stdout.lastIndexOf("RESULT ") + "RESULT ".length))
  expect(result).toMatchObject({ records: 20_000, lost: 0, crashes: 2 })
  expect(result.duplicated).toBeGreaterThan(0)
  expect(result.counted).toBe(20_000 + result.duplicated)

  const wrong = await failed("--guarantee", "sometimes")
  expect(wrong.stderr).toMatch(/^--guarantee sometimes: exactly_once or at_least_once\nusage: npm start/)
})

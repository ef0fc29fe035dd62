/**
 * The main job on somebody's cluster, as a user starts it: nothing lost, nothing counted twice, and no topic left behind.
 */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { KafkaClient } from "@millrace/client"
import { nodeHost } from "@millrace/host/node"
import { expect, it } from "vitest"

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url))
const brokers = process.env["MILLRACE_TEST_BROKERS"]!

it("counts every flight exactly once, killed twice inside open transactions", { timeout: 180_000 }, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "--brokers", brokers])
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

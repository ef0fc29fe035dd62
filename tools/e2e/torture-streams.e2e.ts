/**
 * A minute of the streams suite of torture on the brokers that MILLRACE_TEST_BROKERS names, where processes are killed, and
 * a minute on our own broker, which is killed as well.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { expect, test } from "vitest"

const MAIN = path.join(import.meta.dirname, "..", "src", "torture", "main.ts")
/** The load takes one minute; what it left, and a machine that has other things to do, may take a few more. */
const TIMEOUT_MS = 400_000

test.each([
  ["the cluster given", ["--brokers", process.env["MILLRACE_TEST_BROKERS"]!]],
  ["our broker", []],
])("a wide pipeline under kills loses and doubles nothing on %s", { timeout: TIMEOUT_MS }, async (_, args) => {
  const child = spawn(process.execPath, [MAIN, "streams", "--minutes", "1", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(String(chunk)))
  const [code] = await once(child, "exit")
  const text = output.join("")
  expect(code, text).toBe(0)
  const figures = JSON.parse(/^RESULT (.*)$/m.exec(text)![1]!)
  console.log(`torture: ${JSON.stringify(figures)}`)
  expect(figures).toMatchObject({ lost: 0, duplicated: 0, wrong: 0, failedProcesses: 0 })
  expect(figures.kills + figures.brokerKills).toBeGreaterThan(0)
  expect(figures.results).toBeGreaterThan(1_000)
})

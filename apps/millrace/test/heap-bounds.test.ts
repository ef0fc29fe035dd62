/** The heap is bounded for servers, and for nobody who said otherwise. */
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { expect, test } from "vitest"

const BIN = path.resolve(import.meta.dirname, "../bin/millrace.mjs")
const HOOK = `data:text/javascript,${encodeURIComponent(`
  process.on("exit", () => console.error(JSON.stringify([process.pid, process.execArgv.slice(2)])))
`)}`
const STARTS_OVER = process.execve !== undefined && process.platform !== "win32"
/** Ends before it listens. */
const BROKER = ["broker", "--data", "unused", "--set", "unknown=1"]

/** What it runs with when it ends, and whether it is the process that was started. */
async function flagsOf(args: readonly string[], options: readonly string[] = [], env = {}) {
  const run = promisify(execFile)(process.execPath, ["--import", HOOK, ...options, BIN, ...args], {
    env: { ...process.env, ...env },
  })
  const { stderr } = await run.catch((failed: { stderr: string }) => failed)
  const [pid, flags] = JSON.parse(stderr.trimEnd().split("\n").at(-1)!) as [number, string[]]
  return { isSame: pid === run.child.pid, flags, errors: stderr.trimEnd().split("\n").slice(0, -1) }
}

test.skipIf(!STARTS_OVER)("a server starts over with bounds, as the same process", async () => {
  expect(await flagsOf(BROKER)).toEqual({
    isSame: true,
    flags: ["--max-semi-space-size=8", "--heap-growing-percent=100"],
    errors: [expect.stringContaining("unknown")],
  })
})

test.skipIf(!STARTS_OVER)("whoever sets a bound has the last word", async () => {
  const young = { NODE_OPTIONS: "--max_semi_space_size=32" }
  expect(await flagsOf(BROKER, ["--heap_growing_percent=90"], young)).toMatchObject({
    isSame: true,
    flags: ["--heap_growing_percent=90"],
  })
  expect(await flagsOf(BROKER, ["--max-semi-space-size=32"])).toMatchObject({
    flags: ["--max-semi-space-size=32", "--heap-growing-percent=100"],
  })
})

test("everyday commands start once", async () => {
  expect(await flagsOf(["--version"])).toMatchObject({ isSame: true, flags: [] })
})

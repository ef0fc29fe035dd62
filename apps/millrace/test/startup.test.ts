/**
 * A command loads what it needs: libraries of other commands cost every start.
 */
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { expect, it } from "vitest"

const BIN = path.resolve(import.meta.dirname, "../bin/millrace.mjs")
const HOOK = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module"
  const loaded = []
  registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context) } })
  process.on("exit", () => console.error(JSON.stringify(loaded)))
`)}`

/** Packages that a command has loaded when it ends. */
async function loadedBy(...args: string[]): Promise<Set<string>> {
  const { stderr } = await promisify(execFile)(process.execPath, ["--import", HOOK, BIN, ...args]).catch(
    (failed: { stderr: string }) => failed,
  )
  const urls = JSON.parse(stderr.trimEnd().split("\n").at(-1)!) as string[]
  const names = urls.map((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)|(?:packages|apps)\/([^/]+)/.exec(url))
  // The native checksum comes in a package for each platform.
  return new Set(
    names.flatMap((match) => match?.[1] ?? match?.[2] ?? []).filter((name) => !name.startsWith("@node-rs/")),
  )
}

it("help and version load nothing but the command itself", async () => {
  expect(await loadedBy("--help")).toEqual(new Set(["millrace"]))
  expect(await loadedBy("--version")).toEqual(new Set(["millrace"]))
})

it("everyday commands load the client, and no broker, stream, effect or validator", async () => {
  expect(await loadedBy("topic", "list", "--brokers", "none")).toEqual(
    new Set(["millrace", "client", "host", "protocol"]),
  )
})

it("a broker loads neither client nor streams", async () => {
  expect(await loadedBy("broker", "--data", "unused", "--set", "unknown=1")).toEqual(
    new Set(["millrace", "broker", "config", "metrics", "storage", "host", "protocol"]),
  )
})

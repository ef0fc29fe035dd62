/**
 * `millrace run --watch` on the real command: what happens to the state when the module changes.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { killServers, millrace, PIPELINES, scratchDirectory, serve, type Serving } from "./support/process.ts"

const scratch = scratchDirectory()
/** Inside the repository, where packages are found. */
const directory = mkdtempSync(path.join(PIPELINES, "watched-"))
const file = path.join(directory, "counting.ts")
let broker: Serving
let running: Serving

const module = (store: string, factor: number) => `import { json, string } from "@millrace/schema"
import * as S from "@millrace/streams"
const In = S.topic("watched-in", { key: string, value: string })
const Out = S.topic("watched-out", { key: string, value: json<number>() })
export default S.pipeline("watched", () =>
  S.stream(In).pipe(S.keyBy((word) => word), S.count("${store}"), S.toStream(), S.map((count) => count * ${factor}), S.to(Out)),
)
`

beforeAll(async () => {
  broker = await serve(["broker", "--data", `${scratch.path}/data`, "--listen", "127.0.0.1:0"])
  writeFileSync(file, module("words", 1))
  const where = ["--brokers", broker.ready["kafka"]!, "--state", `${scratch.path}/state`, "--create-topics", "1"]
  running = await serve(["run", file, "--watch", ...where])
})

afterAll(() => {
  killServers()
  scratch.remove()
  rmSync(directory, { recursive: true, force: true })
})

const brokers = () => ["--brokers", broker.ready["kafka"]!]

async function count(word: string, outputs: number): Promise<string> {
  expect((await millrace(["produce", "watched-in", ...brokers()], { input: `${word}\n` })).code).toBe(0)
  const { stdout } = await millrace(["consume", "watched-out", "--max", String(outputs), "--json", ...brokers()])
  return JSON.parse(stdout.trim().split("\n").at(-1)!).value
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 60_000
  while (!holds()) {
    if (performance.now() > end)
      throw new Error(`it did not happen: ${what}\n${running.text.stdout}\n${running.text.stderr}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** As many editors do: beside it, and over it. */
function save(name: string, text: string): void {
  writeFileSync(`${name}~`, text)
  renameSync(`${name}~`, name)
}

const starts = () => running.text.stdout.split("ready ").length - 1

it("goes on with the state where it fits, waits where it does not, and ends in order", async () => {
  expect(await count("a", 1)).toBe("1")
  // Functions and operators without state may change.
  writeFileSync(file, module("words", 10))
  await until("the changed module runs", () => starts() === 2)
  expect(running.text.stderr).toContain("millrace: counting.ts changed: starting again\n")
  expect(await count("a", 2)).toBe("20")
  // What does not load changes nothing.
  save(file, "export default = 1\n")
  await until("it is told", () => running.text.stderr.includes("the one before goes on"))
  expect(await count("a", 3)).toBe("30")
  // Another store: the old pipeline is stopped, and the new one is not started.
  save(file, module("terms", 10))
  await until("it is told", () => running.text.stderr.includes("the state does not fit the module any more"))
  expect(running.text.stderr).toContain('pipeline "watched": store "words" is gone: its state would be left behind')
  expect(starts()).toBe(2)
  // As before, it fits again: nothing was lost, nothing is counted twice.
  save(file, module("words", 100))
  await until("it runs again", () => starts() === 3)
  expect(await count("a", 4)).toBe("400")
  // What it does not load is not its business; what it does is, wherever that comes from.
  save(path.join(directory, "notes.ts"), "export const factor = 7\n")
  save(path.join(directory, "factor.ts"), "export const factor = 7\n")
  const imported = module("words", 1).replace("count * 1", "count * factor")
  save(file, `import { factor } from "./factor.ts"\n${imported}`)
  await until("it runs with what it imports", () => starts() === 4)
  expect(await count("a", 5)).toBe("35")
  save(path.join(directory, "notes.ts"), "export const factor = 9\n")
  save(path.join(directory, "factor.ts"), "export const factor = 1000\n")
  await until("it runs with what changed", () => starts() === 5)
  expect(running.text.stderr).toContain("millrace: factor.ts changed: starting again\n")
  expect(running.text.stderr).not.toContain("notes.ts")
  expect(await count("a", 6)).toBe("6000")
  expect((await running.stop()).code).toBe(0)
  const { stdout } = await millrace(["group", "describe", "watched", ...brokers()])
  expect(stdout).toMatch(/empty|Empty|no members/)
})

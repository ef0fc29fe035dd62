/** The tutorial, followed from top to bottom in a shell: what it shows is what is printed. */
import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { patternOf, stepsOf } from "../src/page-steps.ts"

const ROOT = path.resolve(import.meta.dirname, "../..")
const PAGE = "docs/tutorial.md"
const PATIENCE_MS = 120_000

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A directory as the tutorial's, with commands that go to ports of its own. */
function prepare(kafkaPort: number): { readonly base: string; readonly env: NodeJS.ProcessEnv } {
  const base = mkdtempSync(path.join(tmpdir(), "millrace-tutorial-"))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  symlinkSync(`${ROOT}/node_modules`, `${base}/node_modules`)
  writeFileSync(`${base}/package.json`, JSON.stringify({ type: "module" }))
  for (const name of ["bin", "shop", "checked"]) mkdirSync(`${base}/${name}`)
  const node = `exec "${process.execPath}"`
  const millrace = `${node} "${ROOT}/apps/millrace/bin/millrace.mjs" "$@"`
  const commands = {
    millrace: [
      'case "$1" in',
      `up) ${millrace} --kafka 127.0.0.1:${kafkaPort} --registry 127.0.0.1:0 --connect 127.0.0.1:0 ;;`,
      `run) ${millrace} ;;`,
      `*) ${millrace} --brokers 127.0.0.1:${kafkaPort} ;;`,
      "esac",
    ],
    tsc: [`${node} "${ROOT}/node_modules/typescript/bin/tsc" "$@"`],
    vitest: [`${node} "${ROOT}/node_modules/vitest/vitest.mjs" "$@" --root .`],
    // Not every machine has one.
    curl: [
      'for url in "$@"; do :; done',
      `${node} -e 'fetch(process.argv[1]).then(async (r) => console.log(await r.text()))' "$url"`,
    ],
  }
  for (const [name, lines] of Object.entries(commands)) {
    writeFileSync(`${base}/bin/${name}`, ["#!/bin/sh", ...lines, ""].join("\n"))
    chmodSync(`${base}/bin/${name}`, 0o755)
  }
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")))
  return { base, env: { ...env, PATH: `${base}/bin:${process.env["PATH"]}` } }
}

/** What goes on in a terminal. */
class Terminal {
  readonly child: ChildProcess
  readonly ended: Promise<void>
  #unseen = ""
  #all = ""

  constructor(child: ChildProcess) {
    this.child = child
    this.ended = new Promise((resolve) => child.once("close", () => resolve()))
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#unseen += text
        this.#all += text
      })
    onTestFinished(async () => {
      child.kill("SIGKILL")
      await this.ended
    })
  }

  /** Resolves when it prints lines that it has not printed before. */
  async sees(pattern: RegExp): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const found = pattern.exec(this.#unseen)
      if (found !== null) {
        this.#unseen = this.#unseen.slice(found.index + found[0].length)
        return
      }
      if (performance.now() > end || this.child.exitCode !== null)
        throw new Error(`${pattern} was not printed:\n${this.#all}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async interrupt(): Promise<void> {
    this.child.kill("SIGINT")
    await this.ended
  }
}

test.skipIf(process.platform === "win32")("the tutorial holds", { timeout: 600_000 }, async () => {
  const [kafka, queries] = [await freePort(), await freePort()]
  const { base, env } = prepare(kafka)
  const directory = `${base}/shop`
  const here = (text: string) => text.replaceAll(":9092", `:${kafka}`).replaceAll(":7070", `:${queries}`)
  const terminals = new Map<string, Terminal>()
  const files = new Map<string, string>()
  let saved = 0
  let printed = ""

  const run = async (script: string): Promise<string> => {
    const child = spawn("sh", ["-e", "-c", script], { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] })
    let [out, err] = ["", ""]
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text))
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text))
    const code = await new Promise((resolve) => child.once("close", resolve))
    expect(code, `${script}\n${out}${err}`).toBe(0)
    return out
  }

  for (const step of stepsOf(PAGE, readFileSync(`${ROOT}/${PAGE}`, "utf8"))) {
    const text = here(step.text)
    if (step.kind === "file") {
      writeFileSync(`${directory}/${step.name}`, text)
      files.set(step.name, text)
      const checked = `${base}/checked/${++saved}`
      mkdirSync(checked)
      for (const [name, content] of files) writeFileSync(`${checked}/${name}`, content)
    } else if (step.kind === "start") {
      await terminals.get(step.terminal)?.interrupt()
      const child = spawn("sh", ["-c", `exec ${text}`], { cwd: directory, env, stdio: ["ignore", "pipe", "pipe"] })
      terminals.set(step.terminal, new Terminal(child))
    } else if (step.kind === "run") {
      const second = terminals.get("second")
      printed = await run(text.replaceAll("PID", String(second?.child.pid)))
      if (text.includes("kill -9")) await second!.ended
    } else if (step.terminal !== undefined) {
      await terminals.get(step.terminal)!.sees(patternOf(text))
    } else {
      expect(printed.trimEnd()).toMatch(new RegExp(patternOf(text).source))
    }
  }
  for (const terminal of terminals.values()) await terminal.interrupt()

  // A reader's editor would check the types whenever a file is saved.
  const types = { types: ["node"], typeRoots: [`${ROOT}/node_modules/@types`] }
  const config = { extends: `${ROOT}/tsconfig.test.json`, compilerOptions: types, include: ["*/*.ts"], references: [] }
  writeFileSync(`${base}/checked/tsconfig.json`, JSON.stringify(config))
  await run(`"${ROOT}/node_modules/.bin/tsc" -p ../checked --pretty false`)
})

test("steps are told by the paragraphs before them", () => {
  const page =
    "In `a.ts`:\n\n```ts\nlet a = 1\n```\n\nIn the second\nterminal:\n\n```sh\nrun\n```\n\n```text\nready …\n```\n\n```sh\nls\n```\n"
  expect(stepsOf("p.md", `# P\n\n${page}`)).toEqual([
    { kind: "file", name: "a.ts", text: "let a = 1\n" },
    { kind: "start", terminal: "second", text: "run\n" },
    { kind: "see", terminal: "second", text: "ready …\n" },
    { kind: "run", text: "ls\n" },
  ])
  expect(patternOf("a … (c)\nd\n").exec("x\na bb (c)\nd\ny")?.[0]).toBe("a bb (c)\nd")
})

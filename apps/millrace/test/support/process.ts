/**
 * The real command in its own process, as a shell would start it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

const BIN = path.resolve(import.meta.dirname, "../../bin/millrace.mjs")
export const PIPELINES = path.resolve(import.meta.dirname, "../pipelines")

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface SpawnOptions {
  readonly input?: string | Buffer
  /** What writes the input writes no more, and does not end either. */
  readonly keepsInputOpen?: boolean
  readonly cwd?: string
}

function start(args: readonly string[], options: SpawnOptions) {
  const child = spawn(process.execPath, [BIN, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  child.stdin.on("error", () => {})
  if (options.keepsInputOpen) child.stdin.write(options.input ?? "")
  else child.stdin.end(options.input ?? "")
  const text = { stdout: "", stderr: "" }
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk))
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk))
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...text })))
  return { child, text, ended }
}

/** Runs to the end. */
export const millrace = (args: readonly string[], options: SpawnOptions = {}): Promise<Ended> =>
  start(args, options).ended

const PTY = `
import os, pty, sys
code = os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:]))
sys.exit(code if code >= 0 else 128 - code)
`

export const hasTerminals = spawnSync("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"]).status === 0

/** Runs at a terminal, where `typed` is typed once it shows `prompt`. The code is 128 and the signal's number for who ends by one. */
export async function atTerminal(
  args: readonly string[],
  prompt: string,
  typed: string,
): Promise<{ readonly code: number | null; readonly shown: string }> {
  const child = spawn("python3", ["-c", PTY, process.execPath, BIN, ...args], { stdio: ["pipe", "pipe", "inherit"] })
  serving.add(child)
  let shown = ""
  let hasTyped = false
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    shown += chunk
    if (hasTyped || !shown.includes(prompt)) return
    hasTyped = true
    child.stdin.write(typed)
  })
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve))
  serving.delete(child)
  return { code, shown }
}

/** Starts a command and resolves when it has printed `text`. */
export async function printing(args: readonly string[], text: string): Promise<Pick<Serving, "stop">> {
  const { child, text: printed, ended } = start(args, {})
  serving.add(child)
  void ended.then(() => serving.delete(child))
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", () => {
      if (printed.stdout.includes(text)) resolve()
    })
    void ended.then(({ code, stderr }) => reject(new Error(`ended with ${code}: ${stderr}`)))
  })
  return {
    stop(signal = "SIGTERM") {
      child.kill(signal)
      return ended
    },
  }
}

export interface Serving {
  readonly child: ChildProcess
  /** The fields of the ready line. */
  readonly ready: Readonly<Record<string, string>>
  readonly readyLine: string
  readonly text: { readonly stdout: string; readonly stderr: string }
  readonly ended: Promise<Ended>
  stop(signal?: NodeJS.Signals): Promise<Ended>
}

const serving = new Set<ChildProcess>()

/** Starts a server and waits for its ready line; rejects with what it said when it ends without. */
export async function serve(args: readonly string[], options: SpawnOptions = {}): Promise<Serving> {
  const { child, text, ended } = start(args, options)
  serving.add(child)
  void ended.then(() => serving.delete(child))
  const readyLine = await new Promise<string>((resolve, reject) => {
    const look = () => {
      const line = /^ready .*$/m.exec(text.stdout)?.[0]
      if (line !== undefined && text.stdout.includes(`${line}\n`)) resolve(line)
    }
    child.stdout.on("data", look)
    void ended.then(({ code, stderr }) => reject(new Error(`ended with ${code} before it was ready: ${stderr}`)))
  })
  const fields = readyLine.split(" ").slice(1)
  return {
    child,
    readyLine,
    ready: Object.fromEntries(
      fields.map((field) => [field.slice(0, field.indexOf("=")), field.slice(field.indexOf("=") + 1)]),
    ),
    text,
    ended,
    stop(signal = "SIGTERM") {
      child.kill(signal)
      return ended
    },
  }
}

/** Ends what a failed test left running. */
export function killServers(): void {
  for (const child of serving) child.kill("SIGKILL")
}

/** A directory of its own, and how to remove it. */
export function scratchDirectory(): { readonly path: string; remove(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), "millrace-test-"))
  return { path: directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}

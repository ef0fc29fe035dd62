/**
 * `millrace run --watch`: runs a module in a process of its own, and again whenever its files change.
 *
 *     change -> load it aside -> does its state fit?  yes: drain, commit, stop; start the new one
 *                                                     no:  drain, commit, stop; say what differs; wait
 *
 * A module that does not load changes nothing: the one before goes on. What does not fit waits until a change makes it
 * fit, or until Enter says to go on regardless. The broker, where there is one, stays up in this process.
 *
 * Its files are those beside it and below that it loads; any source, while it does not load, since one may be missing; and
 * data and schemas (.json, .avsc, .proto), which it may read. What it loads is seen when it is loaded aside.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { realpathSync } from "node:fs"
import * as path from "node:path"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import { compareTopologies, type TopologyDescription } from "@millrace/streams/topology/compare"
import { oneLine } from "./fault.ts"
import { watchTree } from "./watch-tree.ts"

export interface WatchOptions {
  /** As given. */
  readonly file: string
  /** Of `millrace run`, after the file. */
  readonly runArguments: readonly string[]
  readonly stopped: Promise<void>
}

/** Editors write a file in several steps. */
const SETTLE_MS = 150
const SOURCES = /\.(ts|mts|js|mjs)$/
const DATA = /\.(json|avsc|proto)$/
const IGNORED: ReadonlySet<string> = new Set(["node_modules", ".git"])

/** Tells the URL of each module that a process loads, a line each. */
const TELL_LOADED_FD = 3
const TELL_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from "node:fs"
  import { registerHooks } from "node:module"
  registerHooks({ load(url, context, next) { writeSync(${TELL_LOADED_FD}, url + "\\n"); return next(url, context) } })
`)}`

/** Resolves when it was told to stop. */
export async function runWatched(options: WatchOptions): Promise<number> {
  const supervisor = new Supervisor(options)
  // Modules have URLs without symbolic links.
  const directory = path.dirname(realpathSync.native(path.resolve(options.file)))
  let settling: NodeJS.Timeout | undefined
  const changed = new Set<string>()
  const isIgnored = (name: string) => IGNORED.has(name)
  const watcher = watchTree(directory, isIgnored, (name) => {
    if (!DATA.test(name) && !(SOURCES.test(name) && supervisor.mayLoad(path.join(directory, name)))) return
    changed.add(name)
    clearTimeout(settling)
    settling = setTimeout(() => {
      supervisor.changed([...changed].join(", "))
      changed.clear()
    }, SETTLE_MS)
  })
  const confirm = () => supervisor.confirmed()
  if (process.stdin.isTTY) process.stdin.on("data", confirm)
  try {
    await supervisor.start()
    await options.stopped
  } finally {
    clearTimeout(settling)
    watcher.close()
    process.stdin.off("data", confirm)
    if (process.stdin.isTTY) process.stdin.pause()
    await supervisor.stop()
  }
  return 0
}

class Supervisor {
  readonly #options: WatchOptions
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  /** Of the module that ran last. */
  #running: readonly TopologyDescription[] = []
  /** Files of the module as it was loaded last; undefined where it did not load. */
  #loaded: ReadonlySet<string> | undefined
  /** One change after another. */
  #work: Promise<void> = Promise.resolve()
  #isPending = false
  #isWaiting = false
  #isStopping = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const found = await this.#describe()
    if (typeof found === "string") return say(`${found}; waiting for a change`)
    this.#running = found
    this.#spawn()
  }

  mayLoad(file: string): boolean {
    return this.#loaded === undefined || this.#loaded.has(file)
  }

  changed(what: string): void {
    if (this.#isPending) return
    this.#isPending = true
    this.#work = this.#work.then(async () => {
      this.#isPending = false
      await this.#reload(`${what} changed: starting again`)
    })
  }

  confirmed(): void {
    if (this.#isWaiting) this.#work = this.#work.then(() => this.#reload("starting again", true))
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#work
    await this.#end()
  }

  async #reload(reason: string, isConfirmed = false): Promise<void> {
    if (this.#isStopping) return
    const found = await this.#describe()
    if (typeof found === "string") {
      return say(this.#child === undefined ? `${found}; waiting for a change` : `${found}; the one before goes on`)
    }
    const differences = isConfirmed ? [] : compareAll(this.#running, found)
    await this.#end()
    if (this.#isStopping) return
    this.#isWaiting = differences.length > 0
    if (this.#isWaiting) {
      for (const line of differences) say(line)
      const how = process.stdin.isTTY ? "press Enter to go on regardless, or change it" : "change it, or start it anew"
      return say(`stopped: the state does not fit the module any more; ${how}`)
    }
    this.#running = found
    say(reason)
    this.#spawn()
  }

  /** The pipelines of the module as it is now, or why it does not load. */
  async #describe(): Promise<readonly TopologyDescription[] | string> {
    const { child, ended } = millrace(["describe", this.#options.file, "--format", "json"], "pipe")
    let [out, err, loaded] = ["", "", ""]
    child.stdout!.setEncoding("utf8").on("data", (text: string) => (out += text))
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (err += text))
    const told = child.stdio[TELL_LOADED_FD] as Readable
    told.setEncoding("utf8").on("data", (text: string) => (loaded += text))
    const code = await ended
    this.#loaded = code === 0 ? new Set(loaded.split("\n").flatMap(fileOf)) : undefined
    if (code !== 0) return oneLine(err).replace(/^millrace: /, "")
    return documentsOf(out)
  }

  #spawn(): void {
    const { file, runArguments } = this.#options
    const { child, ended } = millrace(["run", file, ...runArguments, "--stop-at-eof"], "inherit")
    this.#child = child
    this.#ended = ended.then((code) => {
      if (this.#child !== child) return
      this.#child = undefined
      if (code !== 0 && !this.#isStopping) say(`ended with ${code}; waiting for a change`)
    })
  }

  /** It drains, commits and ends; whatever it says is its own. */
  async #end(): Promise<void> {
    this.#child?.kill("SIGTERM")
    await this.#ended
  }
}

const say = (line: string): void => console.error(`millrace: ${line}`)

/** In a process group of its own: Ctrl-C is for this process, which ends the other in order. Its input ends with us. */
function millrace(args: readonly string[], output: "inherit" | "pipe") {
  const isAside = output === "pipe"
  const stdio = ["pipe", output, output, isAside ? "pipe" : "ignore"] as const
  const hook = isAside ? ["--import", TELL_LOADED] : []
  const child = spawn(process.execPath, [...hook, process.argv[1]!, ...args], { stdio: [...stdio], detached: true })
  const ended = new Promise<number | null>((resolve) => {
    child.on("close", (code) => resolve(code))
    child.on("error", () => resolve(1))
  })
  return { child, ended }
}

const fileOf = (url: string): string[] => (url.startsWith("file:") ? [fileURLToPath(url)] : [])

/** `describe` prints one document for each pipeline, each beginning in the first column. */
function documentsOf(text: string): TopologyDescription[] {
  return text
    .split(/^(?=\{)/m)
    .filter((part) => part.trim() !== "")
    .map((part) => JSON.parse(part) as TopologyDescription)
}

function compareAll(before: readonly TopologyDescription[], after: readonly TopologyDescription[]): string[] {
  return before.flatMap((was) => {
    const is = after.find(({ pipeline }) => pipeline === was.pipeline)
    const found = is === undefined ? ["it is gone: its state would be left behind"] : compareTopologies(was, is)
    return found.map((line) => `pipeline "${was.pipeline}": ${line}`)
  })
}

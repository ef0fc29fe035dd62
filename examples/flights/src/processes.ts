/**
 * The processes of the main job: the `millrace` command, started as a user would start it.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const MILLRACE = fileURLToPath(import.meta.resolve("millrace/bin/millrace.mjs"))
const READY_TIMEOUT_MS = 30_000
/** Lines of a process's output kept to explain a failure. */
const TAIL_LINES_MAX = 40

export class Server {
  readonly name: string
  readonly child: ChildProcess
  readonly #tail: string[] = []
  readonly #ready: Promise<Record<string, string>>
  #expectedEnd = false

  constructor(name: string, args: readonly string[]) {
    this.name = name
    this.child = spawn(process.execPath, [MILLRACE, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.#tail.push(line)
        if (this.#tail.length > TAIL_LINES_MAX) this.#tail.shift()
      })
    }
    this.#ready = new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${name} was not ready within ${READY_TIMEOUT_MS} ms\n${this.tail}`)),
        READY_TIMEOUT_MS,
      )
      createInterface({ input: this.child.stdout! }).on("line", (line) => {
        if (!line.startsWith("ready")) return
        clearTimeout(timer)
        resolve(Object.fromEntries([...line.matchAll(/(\w+)=(\S+)/g)].map((match) => [match[1]!, match[2]!])))
      })
      this.child.on("exit", (code, signal) => {
        clearTimeout(timer)
        if (this.#expectedEnd) return
        reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}\n${this.tail}`))
      })
    })
    this.#ready.catch(() => {})
  }

  /** The parts of the ready line: kafka=…, registry=…, connect=…. */
  get ready(): Promise<Record<string, string>> {
    return this.#ready
  }

  get tail(): string {
    return this.#tail.map((line) => `  ${this.name}: ${line}`).join("\n")
  }

  /** Throws when the process ended by itself. */
  check(): void {
    if (this.#expectedEnd || (this.child.exitCode === null && this.child.signalCode === null)) return
    throw new Error(
      `${this.name} ended with ${this.child.signalCode ?? `exit code ${this.child.exitCode}`}\n${this.tail}`,
    )
  }

  /** SIGKILL: nothing of the process runs after this call. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL")
  }

  /** Asks it to drain, and insists after ten seconds. */
  async stop(): Promise<void> {
    const insist = setTimeout(() => this.child.kill("SIGKILL"), 10_000)
    await this.#end("SIGTERM")
    clearTimeout(insist)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#expectedEnd = true
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exit = once(this.child, "exit")
    this.child.kill(signal)
    await exit
  }
}

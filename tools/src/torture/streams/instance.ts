/**
 * One process of the pipeline under torture, with a state directory of its own: killed, stopped in order, started again.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { createInterface } from "node:readline"

const WORKER = path.join(import.meta.dirname, "worker.ts")
const OUTPUT_LINES_MAX = 40
const STARTING = "starting"

export class Instance {
  readonly name: string
  readonly #args: readonly string[]
  #child: ChildProcess | undefined
  #expectsEnd = false
  state = "down"
  /** The last lines that it logged. */
  readonly output: string[] = []
  /** Ends that nobody asked for. */
  readonly failures: string[] = []

  constructor(name: string, brokers: string, stateDir: string, application: string, groupProtocol: string) {
    this.name = name
    this.#args = [WORKER, brokers, stateDir, application, groupProtocol]
  }

  get isUp(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  start(): void {
    const child = spawn(process.execPath, this.#args, { stdio: ["ignore", "pipe", "pipe"] })
    this.#child = child
    this.#expectsEnd = false
    this.state = STARTING
    createInterface({ input: child.stdout! }).on("line", (line) => (this.state = line))
    createInterface({ input: child.stderr! }).on("line", (line) => {
      this.output.push(line)
      if (this.output.length > OUTPUT_LINES_MAX) this.output.shift()
    })
    child.on("exit", (code, signal) => {
      // Before it has said anything, Node has not come to where it listens for signals.
      const isAsked = this.#expectsEnd && (signal === "SIGKILL" || code === 0 || this.state === STARTING)
      this.state = "down"
      if (isAsked) return
      this.failures.push(`${this.name} ended with ${signal ?? `exit code ${code}`}:\n${this.output.join("\n")}`)
    })
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL")
  }

  /** In order; answers how long it took. */
  async stop(): Promise<number> {
    const started = performance.now()
    await this.#end("SIGTERM")
    return performance.now() - started
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isUp) return
    this.#expectsEnd = true
    const exit = once(this.#child!, "exit")
    this.#child!.kill(signal)
    await exit
  }
}

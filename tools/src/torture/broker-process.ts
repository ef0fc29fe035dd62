/**
 * A broker as its own process, started, killed and started again on the same port and data.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const MILLRACE = fileURLToPath(import.meta.resolve("millrace/bin/millrace.mjs"))
/** For machines with much else to do: the figure of starts is told, and this only ends what hangs. */
const READY_TIMEOUT_MS = 180_000

export class BrokerProcess {
  readonly dataDir: string
  readonly #settings: readonly string[]
  #child: ChildProcess | undefined
  #address = "127.0.0.1:0"
  /** Everything the process said, for the report of a failure. */
  readonly output: string[] = []

  constructor(dataDir: string, settings: readonly string[] = []) {
    this.dataDir = dataDir
    this.#settings = settings
  }

  get address(): string {
    return this.#address
  }

  /** Starts it and answers with the milliseconds from spawn to the ready line. */
  async start(): Promise<number> {
    const spawned = performance.now()
    const settings = this.#settings.flatMap((setting) => ["--set", setting])
    const listen = this.#settings.some((setting) => setting.startsWith("listeners=")) ? [] : ["--listen", this.#address]
    const child = spawn(process.execPath, [MILLRACE, "broker", "--data", this.dataDir, ...listen, ...settings], {
      stdio: ["ignore", "pipe", "pipe"],
    })
    this.#child = child
    createInterface({ input: child.stderr! }).on("line", (line) => this.output.push(line))
    const lines = createInterface({ input: child.stdout! })
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`the broker ${why}\n${this.output.slice(-20).join("\n")}`))
      const timer = setTimeout(() => fail(`was not ready within ${READY_TIMEOUT_MS} ms`), READY_TIMEOUT_MS)
      child.on("exit", (code, signal) => {
        clearTimeout(timer)
        if (signal !== "SIGKILL") fail(`ended by itself with ${signal ?? `exit code ${code}`}`)
      })
      lines.on("line", (line) => {
        this.output.push(line)
        const ready = /^ready .*kafka=(\S+)/.exec(line)
        if (ready === null) return
        clearTimeout(timer)
        this.#address = ready[1]!
        resolve(performance.now() - spawned)
      })
    })
  }

  get alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get pid(): number {
    return this.#child!.pid!
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL")
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM")
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.alive) return
    const exit = once(child, "exit")
    child.kill(signal)
    await exit
  }
}

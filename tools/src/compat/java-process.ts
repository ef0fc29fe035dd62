/**
 * A Java program that runs beside a check: what it says line by line, and how it is ended.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"

const REMEMBERED_LINES = 8
/** What its logging says of itself is not what went wrong. */
const NOISE = /^(SLF4J|.*StatusLogger)/

export interface JavaOptions {
  readonly heapMb?: number
  readonly onLine?: (line: string) => void
}

export class JavaProcess {
  readonly #child: ChildProcess
  readonly #said: string[] = []

  constructor(classpath: string, main: string, args: readonly string[], options: JavaOptions = {}) {
    const jvm = [`-Xmx${options.heapMb ?? 256}m`, "-XX:TieredStopAtLevel=1", "-Dorg.apache.logging.log4j.level=ERROR"]
    this.#child = spawn("java", [...jvm, "-cp", classpath, main, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    this.#child.on("error", (error) => this.#said.push(String(error)))
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      createInterface({ input: stream }).on("line", (line) => {
        if (NOISE.test(line)) return
        this.#said.push(line)
        if (this.#said.length > REMEMBERED_LINES) this.#said.shift()
        options.onLine?.(line)
      })
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves with its exit code, or the signal that ended it, when all is read of what it said. */
  async ended(): Promise<number | string> {
    if (!this.#child.stdout!.closed || this.isAlive) await once(this.#child, "close")
    return this.#child.exitCode ?? this.#child.signalCode!
  }

  kill(): Promise<void> {
    return this.#end("SIGKILL")
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM")
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isAlive) return
    const exit = once(this.#child, "exit")
    this.#child.kill(signal)
    await exit
  }

  toString(): string {
    return this.#said.join("\n")
  }
}

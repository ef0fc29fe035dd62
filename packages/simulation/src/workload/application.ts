/**
 * One machine of the streams application: its disk, its state, and the processes that run on it one after the other, each
 * with the identity that the first one left there.
 */
import type { Host } from "@millrace/host"
import { isTransient } from "@millrace/streams/run/transient"
import { effectPort } from "@millrace/streams/run/effects"
import { type Pipeline, run, type RunHandle, type RunOptions } from "@millrace/streams"
import { ProcessDied } from "../disk.ts"
import type { SimulatedProcess } from "../machine.ts"
import { StateDevice } from "../state-device.ts"
import { tapped, type WirePlan } from "../wire.ts"
import type { World } from "../world.ts"
import { Injected } from "./pipeline.ts"

export type Settings = Omit<RunOptions, "host" | "stateDir" | "engines" | "effects" | "log">

const LOG_LINES_MAX = 12

export class Application {
  readonly name: string
  readonly state: StateDevice
  readonly #world: World
  readonly #pipeline: Pipeline
  readonly #settings: Settings
  #process: SimulatedProcess | undefined
  #handle: RunHandle | undefined
  #closing = false
  /** The last lines that processes of this machine logged. */
  readonly log: string[] = []
  starts = 0
  kills = 0
  closes = 0
  failedStarts = 0
  injectedFailures = 0
  /** What becomes of its requests, where a case says so. */
  plan: WirePlan | undefined
  #committed = 0
  #aborted = 0

  constructor(world: World, name: string, pipeline: Pipeline, settings: Settings) {
    this.name = name
    this.#world = world
    this.#pipeline = pipeline
    this.#settings = settings
    this.state = new StateDevice(world.machine(name).random.fork("state"))
  }

  /** A process runs, or is about to. */
  get isUp(): boolean {
    return this.#process?.alive === true
  }

  get transactions(): { readonly committed: number; readonly aborted: number } {
    const open = this.#handle?.metrics().transactions
    return { committed: this.#committed + (open?.committed ?? 0), aborted: this.#aborted + (open?.aborted ?? 0) }
  }

  /** For a run that got stuck. */
  describe(): string {
    const handle = this.#handle
    const at = !this.isUp
      ? "down"
      : handle === undefined
        ? "starting"
        : `${this.#closing ? "closing" : handle.state()}, ${handle.metrics().tasks} tasks, ${handle.metrics().restoringTasks} restoring`
    return `${this.name} is ${at}; it logged: ${this.log.slice(-3).join(" | ") || "nothing"}`
  }

  /** Starts a process, which may die at the n-th change of its disk. */
  start(dieInChange = Infinity): void {
    const process = this.#world.machine(this.name).start()
    process.disk.dieInChange(dieInChange)
    this.#count()
    this.state.crash()
    this.#process = process
    this.#handle = undefined
    this.#closing = false
    this.starts++
    this.#world.spawn(process, () => this.#run(process))
  }

  async #run(process: SimulatedProcess): Promise<void> {
    try {
      const handle = await run(this.#pipeline, {
        ...this.#settings,
        host: this.#hostOf(process),
        stateDir: "/state",
        engines: this.state.attach({
          clock: process.clock,
          name: this.name,
          get alive() {
            return process.alive
          },
          kill: () => this.kill(),
        }),
        effects: effectPort(process.clock),
        log: (line) => this.#logged(process, line),
      })
      if (process.alive) this.#handle = handle
      await handle.done
    } catch (error) {
      if (!process.alive || error instanceof ProcessDied) return
      // Whoever runs an application starts it again after a failure, and when the cluster was away for too long.
      if (isInjected(error)) this.injectedFailures++
      else if (this.#handle !== undefined || !isTransient(error)) throw error
      else this.failedStarts++
    }
    process.kill()
  }

  #hostOf(process: SimulatedProcess): Host {
    const { clock, random, disk } = process
    return { clock, random, disk, net: tapped(process, (request) => this.plan?.(request) ?? "pass") }
  }

  #logged(process: SimulatedProcess, line: string): void {
    if (!process.alive) return
    const [first] = line.split("\n")
    this.#world.scheduler.note(`${this.name}: ${first}`)
    this.log.push(`${(process.clock.monotonic() / 1000).toFixed(2)}s ${first}`)
    if (this.log.length > LOG_LINES_MAX) this.log.shift()
  }

  /** SIGKILL; what the state engines did last may be gone when its successor starts. */
  kill(): void {
    if (!this.isUp) return
    this.kills++
    this.#process!.kill()
  }

  /** Takes the figures of the process that is gone. */
  #count(): void {
    const { committed, aborted } = this.transactions
    this.#committed = committed
    this.#aborted = aborted
    this.#handle = undefined
  }

  /** Asks for an orderly end. */
  close(): void {
    if (this.#handle === undefined || this.#closing) return
    this.#closing = true
    this.closes++
    // What it throws, `done` throws too.
    this.#handle.close().catch(() => {})
  }
}

function isInjected(error: unknown): boolean {
  if (error instanceof Injected) return true
  return error instanceof Error && error.cause !== undefined && isInjected(error.cause)
}

/**
 * Tasks on their way to running here: each is opened beside the worker's loop, its partitions paused, until it runs, cannot,
 * or has gone to another member.
 *
 * Nobody else opens it, so what passes is waited for, as long as a task may fail. Whoever gives it up waits for its opening to
 * end, and others wait for them: a restore is not finished first.
 */
import { type Clock, sleep } from "@millrace/host"
import { StateError } from "../errors.ts"
import type { Task } from "../task/task.ts"
import { formatTaskId, type TaskId } from "../topology/naming.ts"
import type { ResolvedRunOptions } from "./options.ts"
import { isTransient, retryDelayMs } from "./transient.ts"

export interface OpenedTask {
  readonly task: Task
  /** Where each input can be read to, as of then. */
  readonly ends: ReadonlyMap<string, number>
}

/** Restores and makes a task. Rejects soon once the signal aborts. */
export type OpenTask = (id: TaskId, signal: AbortSignal) => Promise<OpenedTask>

export interface TaskOpeningsOptions {
  readonly clock: Clock
  readonly openTask: OpenTask
  readonly run: Pick<ResolvedRunOptions, "taskTimeoutMs" | "log">
  readonly onOpened: (opened: OpenedTask) => void
  /** It was opened, though it is not to run here any more. */
  readonly onUnwanted: (task: Task) => Promise<void>
  readonly onFailure: (cause: unknown) => void
}

interface Opening {
  readonly id: TaskId
  readonly done: Promise<void>
  readonly aborter: AbortController
  isWanted: boolean
}

export class TaskOpenings {
  readonly #options: TaskOpeningsOptions
  readonly #opening = new Map<string, Opening>()

  constructor(options: TaskOpeningsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#opening.size
  }

  get names(): readonly string[] {
    return [...this.#opening.keys()]
  }

  has(name: string): boolean {
    return this.#opening.has(name)
  }

  begin(id: TaskId): void {
    const name = formatTaskId(id)
    if (this.#opening.has(name)) return
    const aborter = new AbortController()
    const opening: Opening = { id, aborter, isWanted: true, done: Promise.resolve().then(() => this.#open(name)) }
    this.#opening.set(name, opening)
  }

  /** Resolves once none of these is being opened any more. */
  async giveUp(isLeaving: (id: TaskId) => boolean): Promise<void> {
    const leaving = [...this.#opening.values()].filter(({ id }) => isLeaving(id))
    for (const opening of leaving) {
      opening.isWanted = false
      opening.aborter.abort(new Error("the task went before it was open"))
    }
    await Promise.all(leaving.map(({ done }) => done))
  }

  async #open(name: string): Promise<void> {
    const opening = this.#opening.get(name)!
    try {
      const opened = await this.#untilWorks(opening)
      this.#opening.delete(name)
      if (opened === undefined) return
      if (!opening.isWanted) return await this.#options.onUnwanted(opened.task)
      this.#options.onOpened(opened)
    } catch (cause) {
      this.#opening.delete(name)
      if (opening.isWanted) this.#options.onFailure(cause)
    }
  }

  /** undefined: not wanted any more. */
  async #untilWorks(opening: Opening): Promise<OpenedTask | undefined> {
    const { clock, openTask, run } = this.#options
    const since = clock.monotonic()
    for (let attempt = 0; opening.isWanted; attempt++) {
      try {
        return await openTask(opening.id, opening.aborter.signal)
      } catch (cause) {
        if (!isTransient(cause)) throw cause
        const name = formatTaskId(opening.id)
        const why = cause instanceof Error ? cause.message : String(cause)
        if (clock.monotonic() - since > run.taskTimeoutMs) {
          throw new StateError(`task ${name} could not be opened for ${run.taskTimeoutMs} ms: ${why}`, { cause })
        }
        run.log(`task ${name} could not be opened, trying again: ${why}`)
        await sleep(clock, retryDelayMs(attempt))
      }
    }
    return undefined
  }
}

/**
 * What runs one task: a loop with a beginning, pauses and an end, told by the worker and reporting to it.
 *
 * A runner reports `up` once its task is ready, `fail` at most once, and always `ended` last.
 */
import type { Host } from "@millrace/host"
import type { Log } from "../log.ts"
import type { Report } from "./herder.ts"

export interface RunnerOptions {
  readonly connector: string
  readonly task: number
  readonly host: Host
  readonly log: Log
  readonly held: boolean
  readonly report: (report: Report) => void
  /** The task writes to or reads from a topic. */
  readonly usedTopic: (topic: string) => void
}

/** The halt and hold switches of a loop. */
export class RunnerControl {
  readonly #abort = new AbortController()
  #held: boolean
  #wake: (() => void) | undefined
  constructor(held: boolean) {
    this.#held = held
  }
  get signal(): AbortSignal {
    return this.#abort.signal
  }
  get halted(): boolean {
    return this.#abort.signal.aborted
  }
  get held(): boolean {
    return this.#held
  }
  hold(): void {
    this.#held = true
  }
  release(): void {
    this.#held = false
    this.#wake?.()
  }
  halt(): void {
    this.#abort.abort(new HaltedError("the task was told to stop"))
    this.#wake?.()
  }
  /** Resolves when the loop is not held, or halted. */
  async whileHeld(): Promise<void> {
    while (this.#held && !this.halted) await new Promise<void>((resolve) => (this.#wake = resolve))
    this.#wake = undefined
  }
  /** Resolves when halted. */
  async untilHalted(): Promise<void> {
    while (!this.halted) await new Promise<void>((resolve) => (this.#wake = resolve))
  }
}

export class HaltedError extends Error {
  override readonly name = "HaltedError"
}

export interface Runner {
  readonly control: RunnerControl
  /** Resolves when the task has ended; never rejects. */
  run(): Promise<void>
}

/** What a failed unit shows in its status: the error and its causes. */
export function traceOf(error: unknown): string {
  const lines: string[] = []
  for (let cause: unknown = error, depth = 0; cause !== undefined && depth < CAUSES_MAX; depth++) {
    const text = cause instanceof Error ? (cause.stack ?? `${cause.name}: ${cause.message}`) : String(cause)
    lines.push(depth === 0 ? text : `Caused by: ${text}`)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return lines.join("\n")
}

const CAUSES_MAX = 10

/** Runs a loop body with the reports that every runner owes. `end` always runs, also after a failure. */
export async function runReporting(
  control: RunnerControl,
  report: (report: Report) => void,
  body: () => Promise<void>,
  end: () => Promise<void>,
): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  try {
    await body()
  } catch (error) {
    if (!(control.halted && error === control.signal.reason)) failure = { error }
  }
  try {
    await end()
  } catch (error) {
    failure ??= { error }
  }
  if (failure) report({ type: "fail", trace: traceOf(failure.error) })
  report({ type: "ended" })
}

/**
 * What `millrace run` shows of its pipelines: a block that rewrites itself on a terminal, plain lines when piped, JSON
 * lines on request.
 */
import type { Running, RunMetrics } from "@millrace/streams"
import { bold, cyan, dim, green, LiveBlock, red, yellow } from "./terminal.ts"

const LIVE_MS = 500
const PLAIN_MS = 10_000
const JSON_MS = 1_000
/** Tasks shown of each pipeline; there may be hundreds. */
const TASKS_SHOWN_MAX = 16

export type DisplayMode = "live" | "plain" | "json"

/** Shows what runs until it is ended, which leaves the last state standing. */
export function showRun(handles: readonly Running[], mode: DisplayMode): { end(): void } {
  const block = new LiveBlock()
  const show = () => {
    if (mode === "live") block.show(handles.flatMap((handle) => liveLines(viewOf(handle))))
    else
      for (const handle of handles) console.log(mode === "json" ? jsonLine(viewOf(handle)) : plainLine(viewOf(handle)))
  }
  const timer = setInterval(show, { live: LIVE_MS, plain: PLAIN_MS, json: JSON_MS }[mode])
  if (mode === "live") show()
  return {
    end() {
      clearInterval(timer)
      if (mode === "live") show()
      // A run shorter than the interval is told too.
      if (mode === "json") show()
    },
  }
}

/** Until tasks run: on a terminal the same block, elsewhere a line to stderr now and then for a start that takes long. */
export function showStart(handles: readonly Running[], mode: DisplayMode): { end(): void } {
  if (mode === "live") return showRun(handles, mode)
  const show = () => {
    for (const handle of handles) if (handle.state() !== "running") console.error(plainLine(viewOf(handle)))
  }
  const timer = setInterval(show, PLAIN_MS)
  return { end: () => clearInterval(timer) }
}

export interface RunView {
  readonly application: string
  readonly state: string
  readonly metrics: RunMetrics
}

const viewOf = (handle: Running): RunView => ({
  application: handle.applicationId,
  state: handle.isPaused ? "paused" : handle.state(),
  metrics: handle.metrics(),
})

export function plainLine({ application, state, metrics }: RunView): string {
  const { tasks, restoringTasks, transactions, workers } = metrics
  const restoring = restoringTasks > 0 ? ` (${restoringTasks} restoring, ${count(remainingOf(metrics))} left)` : ""
  const parts = [
    `${application} ${state}: ${count(metrics.processed)} records`,
    `${count(metrics.processRate)}/s`,
    `lag ${count(lagOf(metrics))}`,
    `${tasks} tasks${restoring}${workers > 1 ? ` in ${workers} workers` : ""}`,
    `${count(transactions.committed)} commits`,
    `commit ${latency(metrics)}`,
    `${transactions.aborted} aborts`,
  ]
  return [...parts, waitingOf(metrics), asideOf(metrics)].filter((part) => part !== "").join(", ")
}

export function jsonLine({ application, state, metrics }: RunView): string {
  return JSON.stringify({ time: new Date().toISOString(), application, state, lag: lagOf(metrics), ...metrics })
}

export function liveLines({ application, state, metrics }: RunView): string[] {
  const { transactions, perTask, restoring, workers } = metrics
  const lines = [
    [
      bold(application),
      colour(state),
      `${count(metrics.processRate)}/s`,
      dim(`${count(metrics.processed)} records`),
      `lag ${count(lagOf(metrics))}`,
      workers > 1 ? `${workers} workers` : "",
      `commit ${latency(metrics)}`,
      dim(`${count(transactions.committed)} commits, ${transactions.aborted} aborts`),
      waitingOf(metrics),
      yellow(asideOf(metrics)),
    ]
      .filter((part) => part !== "")
      .join("  "),
  ]
  for (const { task, processed, inputLag, stores } of perTask.slice(0, TASKS_SHOWN_MAX)) {
    const state = stores.map(({ store, entries, bytes }) => `${store} ${count(entries)} rows ${size(bytes)}`)
    lines.push(
      `  ${cyan(task.padEnd(6))} ${count(processed).padStart(9)} records  lag ${count(inputLag)}  ${dim(state.join(", "))}`,
    )
  }
  if (perTask.length > TASKS_SHOWN_MAX) lines.push(dim(`  and ${perTask.length - TASKS_SHOWN_MAX} tasks more`))
  for (const { task, store, restored, remaining } of restoring.slice(0, TASKS_SHOWN_MAX)) {
    lines.push(
      yellow(`  ${task.padEnd(6)} restoring ${store}: ${count(restored)} records read, ${count(remaining)} left`),
    )
  }
  return lines
}

const colour = (state: string): string =>
  state === "running" ? green(state) : state === "error" || state === "pending-error" ? red(state) : yellow(state)

const lagOf = ({ perTask }: RunMetrics): number => perTask.reduce((sum, { inputLag }) => sum + inputLag, 0)

const remainingOf = ({ restoring }: RunMetrics): number => restoring.reduce((sum, one) => sum + one.remaining, 0)

function latency({ commitLatency: { count: commits, sumMs, maxMs } }: RunMetrics): string {
  return commits === 0 ? "-" : `${Math.round(sumMs / commits)} ms (most ${Math.round(maxMs)} ms)`
}

/** Records that were taken and are not through: lag does not tell that a service hangs. */
function waitingOf({ perTask }: RunMetrics): string {
  const waiting = perTask.reduce((sum, task) => sum + task.waiting, 0)
  return waiting === 0 ? "" : `${count(waiting)} waiting`
}

/** What did not go the usual way. */
function asideOf({ dropped, deadLetters }: RunMetrics): string {
  const reasons = Object.entries(dropped).filter(([, number]) => number > 0)
  const lost = reasons.map(([reason, number]) => `${count(number)} ${reason}`).join(", ")
  return [lost === "" ? [] : `dropped ${lost}`, deadLetters === 0 ? [] : `${count(deadLetters)} dead letters`]
    .flat()
    .join(", ")
}

const count = (value: number): string => Math.round(value).toLocaleString("en-US")

const UNITS = ["B", "KB", "MB", "GB", "TB"]

function size(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const scaled = bytes / 1024 ** power
  return `${scaled < 10 && power > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${UNITS[power]}`
}

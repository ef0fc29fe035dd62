/**
 * What a worker thread does: it loads the module, runs the pipeline as one member of the group, and tells the process how it
 * is. When the pipeline has ended it says so; the process ends the thread.
 */
import { parentPort, workerData } from "node:worker_threads"
import { nodeHost } from "@millrace/host/node"
import { RegistryClient } from "@millrace/schema"
import { isPipeline, type Pipeline } from "../dsl/pipeline.ts"
import { PipelineError } from "../errors.ts"
import type { CloseOptions, Handle } from "../run/handle.ts"
import type { UncaughtAction } from "../run/options.ts"
import { runPipeline } from "../run/run.ts"
import { packFailure } from "./failure.ts"
import type { FromThread, ModuleOptions, Question, ThreadData, ToThread } from "./messages.ts"
import { packResult } from "./rows.ts"
import { Watches } from "./watch.ts"

/** How often the process is told the figures; it answers for all threads from what it was told last. */
const METRICS_MS = 200

const data = workerData as ThreadData
const tell = (message: FromThread): void => parentPort!.postMessage(message, [])
const uncaught = new Map<number, (action: UncaughtAction) => void>()
let nextUncaught = 0
let handle: Handle | undefined
let watches: Watches | undefined
let { isPaused } = data
let stopped: CloseOptions | undefined

async function load(): Promise<{ pipeline: Pipeline<any>; more: ModuleOptions }> {
  const exported = (await import(data.module)) as Record<string, unknown>
  const pipeline = Object.values(exported).find((one) => isPipeline(one) && one.name === data.pipeline)
  if (pipeline === undefined) {
    throw new PipelineError(
      `${data.module} exports no pipeline "${data.pipeline}": name the module that does in run({ module })`,
    )
  }
  const more: ModuleOptions = exported["runOptions"] ?? {}
  if (data.needsSecurity && more.security === undefined) {
    throw new PipelineError(
      `pipeline "${data.pipeline}": a token's function cannot be sent to worker threads: export const runOptions = { security } ` +
        "from its module too",
    )
  }
  return { pipeline: pipeline as Pipeline<any>, more }
}

function onUncaught(failure: unknown, count: number): Promise<UncaughtAction> {
  const id = nextUncaught++
  return new Promise((resolve) => {
    uncaught.set(id, resolve)
    tell({ kind: "uncaught", id, failure: packFailure(failure), count })
  })
}

async function answer(question: Question) {
  const { queries } = handle!
  if (question.what === "lags") return await handle!.lags()
  const info = queries.find(question.store)
  if (question.what === "here") return queries.partitionsHere(info, question.allowStale)
  const { query, options } = question
  return packResult(await queries.ask(question.store, query, options), query, info)
}

parentPort!.on("message", (message: ToThread) => {
  if (message.kind === "uncaught") {
    uncaught.get(message.id)?.(message.action)
    uncaught.delete(message.id)
  } else if (message.kind === "pause") {
    isPaused = message.isPaused
    if (isPaused) handle?.pause()
    else handle?.resume()
  } else if (message.kind === "stop") {
    stopped ??= message.how
    void handle?.close(stopped).catch(() => {})
  } else if (message.kind !== "ask") {
    watches!.follow(message)
  } else {
    answer(message.question).then(
      (found) => tell({ kind: "answer", id: message.id, answer: found }),
      (failure: unknown) => tell({ kind: "answer", id: message.id, answer: packFailure(failure) }),
    )
  }
})

async function main(): Promise<void> {
  const { pipeline, more } = await load()
  const running = await runPipeline(
    pipeline,
    {
      ...data.options,
      ...(data.registry && { registry: new RegistryClient(data.registry) }),
      ...more,
      host: nodeHost,
      log: (message) => tell({ kind: "log", message }),
      onStateChange: (state) => tell({ kind: "state", state }),
      ...(data.asksWhenUncaught && { onUncaught }),
    },
    {
      identity: { ...data.identity, release: () => {} },
      worker: data.worker,
      claimed: data.claimed,
      endpoint: data.endpoint,
      onEndpoints: (endpoints) => tell({ kind: "endpoints", endpoints }),
    },
  )
  handle = running
  watches = new Watches(running, tell)
  if (isPaused) running.pause()
  tell({ kind: "started" })
  const { clock } = nodeHost
  const report = () => {
    tell({ kind: "metrics", metrics: running.metrics() })
    timer = clock.setTimer(METRICS_MS, report)
  }
  let timer = clock.setTimer(METRICS_MS, report)
  if (stopped !== undefined) void running.close(stopped).catch(() => {})
  await running.done.finally(() => timer.cancel())
}

main().then(
  () => tell({ kind: "closed", metrics: handle?.metrics() }),
  (failure: unknown) => tell({ kind: "failed", failure: packFailure(failure), metrics: handle?.metrics() }),
)

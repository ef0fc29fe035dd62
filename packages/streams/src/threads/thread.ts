/**
 * One worker thread as the process sees it: what it told last, and how it ends.
 *
 *     closed     it was told to stop, has committed and left the group
 *     failed     its pipeline ended with a failure
 *     died       the thread is gone without a word: an error nobody caught, no memory, process.exit()
 */
import { argv } from "node:process"
import { Worker as Thread } from "node:worker_threads"
import { WorkerDied } from "../errors.ts"
import type { RunMetrics } from "../metrics/report.ts"
import type { CloseOptions } from "../run/handle.ts"
import type { UncaughtAction } from "../run/options.ts"
import type { RunState } from "../run/state.ts"
import { type PostedFailure, unpackFailure } from "./failure.ts"
import type { Answers, FromThread, Question, ThreadData, ToThread, WatchMessage } from "./messages.ts"

export type ThreadEnd = { readonly how: "closed" } | { readonly how: "failed" | "died"; readonly cause: Error }

export interface ThreadListener {
  readonly onLog: (message: string) => void
  readonly onState: () => void
  readonly onEndpoints: (message: Extract<FromThread, { kind: "endpoints" }>["endpoints"]) => void
  readonly onStarted: (thread: WorkerThread) => void
  readonly onWatch: (thread: WorkerThread, message: WatchMessage) => void
  readonly onUncaught: (failure: Error, count: number) => UncaughtAction | Promise<UncaughtAction>
}

/** Beside this file, as it was written or compiled. */
const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "./entry.ts" : "./entry.js", import.meta.url)

export class WorkerThread {
  readonly worker: number
  /** Its pipeline has been set up; rejects with why it was not. */
  readonly started: Promise<void>
  readonly ended: Promise<ThreadEnd>
  state: RunState = "created"
  metrics: RunMetrics | undefined
  isStarted = false
  /** It was told to stop. */
  isStopping = false
  readonly #thread: Thread
  readonly #listener: ThreadListener
  readonly #questions = new Map<number, PromiseWithResolvers<Answers[keyof Answers]>>()
  #nextQuestion = 0

  constructor(data: ThreadData, listener: ThreadListener) {
    this.worker = data.worker
    this.#listener = listener
    // A module that reads its arguments finds the same in every thread.
    this.#thread = new Thread(ENTRY, { workerData: data, name: `millrace-${data.worker}`, argv: argv.slice(2) })
    const started = Promise.withResolvers<void>()
    this.started = started.promise
    this.started.catch(() => {})
    this.ended = new Promise((resolve) => {
      let end: ThreadEnd | undefined
      this.#thread.on("message", (message: FromThread) => {
        if (message.kind === "started") {
          this.isStarted = true
          started.resolve()
          listener.onStarted(this)
        } else if (message.kind === "closed" || message.kind === "failed") {
          this.metrics = message.metrics ?? this.metrics
          end = message.kind === "closed" ? { how: "closed" } : { how: "failed", cause: unpackFailure(message.failure) }
          // Whatever the module keeps alive ends with it.
          void this.#thread.terminate()
        } else this.#told(message)
      })
      this.#thread.on("error", (cause) => (end ??= { how: "died", cause: new WorkerDied(this.worker, cause) }))
      this.#thread.on("exit", (code) => {
        const ended = end ?? { how: "died", cause: new WorkerDied(this.worker, `it exited with ${code}`) }
        this.state = ended.how === "closed" ? "not-running" : "error"
        const why = ended.how === "closed" ? new WorkerDied(this.worker, "it was stopped") : ended.cause
        started.reject(why)
        for (const question of this.#questions.values()) question.reject(why)
        resolve(ended)
      })
    })
  }

  #told(message: Exclude<FromThread, { kind: "started" | "closed" | "failed" }>): void {
    if (message.kind === "log") this.#listener.onLog(message.message)
    else if (message.kind === "metrics") this.metrics = message.metrics
    else if (message.kind === "endpoints") this.#listener.onEndpoints(message.endpoints)
    else if (message.kind === "answer") this.#answered(message.id, message.answer)
    else if ("id" in message && message.kind !== "uncaught") this.#listener.onWatch(this, message)
    else if (message.kind === "state") {
      this.state = message.state
      this.#listener.onState()
    } else {
      void Promise.resolve(this.#listener.onUncaught(unpackFailure(message.failure), message.count)).then((action) =>
        this.#tell({ kind: "uncaught", id: message.id, action }),
      )
    }
  }

  #tell(message: ToThread): void {
    this.#thread.postMessage(message, [])
  }

  pause(isPaused: boolean): void {
    this.#tell({ kind: "pause", isPaused })
  }

  watch(id: number, store: string): void {
    this.#tell({ kind: "watch", id, store })
  }

  unwatch(id: number): void {
    this.#tell({ kind: "unwatch", id })
  }

  giveTurn(id: number, partition: number): void {
    this.#tell({ kind: "turn", id, partition })
  }

  /** Commits, leaves the group, ends. */
  async stop(how: CloseOptions = {}): Promise<ThreadEnd> {
    this.isStopping = true
    this.#tell({ kind: "stop", how })
    return await this.ended
  }

  async ask<Q extends Question>(question: Q): Promise<Answers[Q["what"]]> {
    const id = this.#nextQuestion++
    const asked = Promise.withResolvers<Answers[keyof Answers]>()
    this.#questions.set(id, asked)
    this.#tell({ kind: "ask", id, question })
    return (await asked.promise) as Answers[Q["what"]]
  }

  #answered(id: number, answer: Answers[keyof Answers] | PostedFailure): void {
    const question = this.#questions.get(id)
    this.#questions.delete(id)
    if (Array.isArray(answer)) question?.resolve(answer as Answers[keyof Answers])
    else question?.reject(unpackFailure(answer as PostedFailure))
  }
}

/**
 * Queries of a process whose tasks run in worker threads: all of them are asked, and the one that has a partition answers.
 *
 * Each thread answers at one transaction's end of its own; threads commit each for itself, so partitions of different
 * threads are at different ones, as those of different processes are.
 */
import { sortLags, type StoreLag } from "../query/lags.ts"
import { type PlacesOptions, type StoreName, StorePlaces } from "../query/places.ts"
import type { Answer, Query, QueryOptions, QueryResult } from "../query/query.ts"
import type { StoreInfo } from "../query/stores.ts"
import { formatTaskId } from "../topology/naming.ts"
import { joinAnswers } from "./answers.ts"
import type { WorkerThread } from "./thread.ts"

export class ThreadQueries extends StorePlaces {
  readonly #threads: () => readonly WorkerThread[]

  constructor(places: PlacesOptions, threads: () => readonly WorkerThread[]) {
    super(places)
    this.#threads = threads
  }

  /** As the threads told last. */
  override isHere({ subtopology }: StoreInfo, partition: number): boolean {
    if (subtopology === undefined) return true
    const name = formatTaskId({ subtopology, partition })
    return this.#threads().some(({ metrics }) => metrics?.perTask.some(({ task }) => task === name))
  }

  async partitionsHere(info: StoreInfo, allowStale = false): Promise<number[]> {
    const found = await this.#askAll((thread) => thread.ask({ what: "here", store: info.name, allowStale }))
    return [...new Set(found.flat())].sort((left, right) => left - right)
  }

  async ask<Q extends Query>(
    of: StoreName,
    query: Q,
    options: QueryOptions = {},
  ): Promise<QueryResult<Answer<Q, any, any>>> {
    const info = this.find(of)
    const partitions = options.partitions ?? (await this.partitionsHere(info, options.allowStale))
    const question = { what: "query", store: info.name, query, options: { ...options, partitions } } as const
    const answers = await this.#askAll((thread) => thread.ask(question))
    return await joinAnswers(answers, info)
  }

  async lags(): Promise<readonly StoreLag[]> {
    return sortLags((await this.#askAll((thread) => thread.ask({ what: "lags" }))).flat())
  }

  /** A thread that ends meanwhile has nothing to say, unless it was the only one. */
  async #askAll<T>(ask: (thread: WorkerThread) => Promise<T>): Promise<T[]> {
    const threads = this.#threads().filter(({ isStarted }) => isStarted)
    const asked = await Promise.allSettled(threads.map(ask))
    const answers = asked.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))
    const isThere = (at: number) => this.#threads().includes(threads[at]!)
    const failed = asked.find((one, at) => one.status === "rejected" && (answers.length === 0 || isThere(at)))
    if (failed?.status === "rejected") throw failed.reason
    return answers
  }
}

/**
 * Answers queries from the stores of this worker's tasks.
 *
 * Every partition is read at one instant between two steps of the worker, so that an answer never shows half of a
 * transaction; all partitions that are here are at the same transaction's end. Copies of other processes' tasks are read
 * where the question says so, as far as they have read their changelogs (KIP-535).
 */
import { UnknownSchemaId } from "@millrace/schema"
import { PipelineError } from "../errors.ts"
import type { GlobalStore } from "../state/global-store.ts"
import type { TaskSet } from "../run/task-set.ts"
import type { CopiedStore } from "../run/standbys.ts"
import { formatTaskId, parseTaskId } from "../topology/naming.ts"
import { bytesView } from "./bytes-view.ts"
import { type PlacesOptions, type StoreName, StorePlaces } from "./places.ts"
import { isUpTo, mergePositions, type Position, positionOf } from "./position.ts"
import {
  type Answer,
  type FailureReason,
  type PartitionResult,
  type Query,
  type QueryOptions,
  type QueryResult,
  UnknownQuery,
} from "./query.ts"
import { type Readable, readOne, readRows } from "./read.ts"
import type { StoreInfo } from "./stores.ts"

export interface QueriesOptions {
  readonly places: PlacesOptions
  /** By name: each is one partition, and all of it is here. */
  readonly globalTables: ReadonlyMap<string, GlobalStore>
  readonly tasks: TaskSet
  /** Of other processes' tasks. */
  readonly copies?: Copies
  /** Names of tasks that are being restored. */
  readonly opening: () => readonly string[]
}

/** Copies of tasks' state that are kept here. */
export interface Copies {
  readonly names: readonly string[]
  store(task: string, name: string): CopiedStore | undefined
}

export class Queries extends StorePlaces {
  readonly #options: QueriesOptions

  constructor(options: QueriesOptions) {
    super(options.places)
    this.#options = options
  }

  /** Partitions of a store whose tasks run here; with `allowStale` those that there is a copy of, too. */
  partitionsHere(info: StoreInfo, allowStale = false): number[] {
    const { subtopology } = info
    if (subtopology === undefined) return [0]
    const ids = [...this.#options.tasks.tasks].map(({ taskId }) => taskId)
    if (allowStale) ids.push(...(this.#options.copies?.names ?? []).map(parseTaskId))
    const partitions = ids.filter((id) => id.subtopology === subtopology).map(({ partition }) => partition)
    return partitions.filter((one) => this.readable(info, one) ?? this.#copy(info, one)).sort((a, b) => a - b)
  }

  /** The store of a partition whose task runs here. */
  readable({ name, subtopology, windowSizeMs }: StoreInfo, partition: number): Readable | undefined {
    if (subtopology === undefined) {
      const table = partition === 0 ? this.#options.globalTables.get(name) : undefined
      return table && { store: table, windowSizeMs }
    }
    const store = this.#options.tasks.get(formatTaskId({ subtopology, partition }))?.stores.get(name)
    return store && { store, windowSizeMs }
  }

  #copy({ name, subtopology, windowSizeMs }: StoreInfo, partition: number): Copied | undefined {
    if (subtopology === undefined) return undefined
    const found = this.#options.copies?.store(formatTaskId({ subtopology, partition }), name)
    return found && { ...found, windowSizeMs }
  }

  /** A row whose schema is not known yet fails its partition; who asks again has it, once it has been fetched. */
  query<Q extends Query>(of: StoreName, query: Q, options?: QueryOptions): QueryResult<Answer<Q, any, any>> {
    const unknown: UnknownSchemaId[] = []
    const result = this.#answer(of, query, options, unknown)
    for (const { resolve } of unknown) resolve().catch(() => {})
    return result
  }

  /** The same, once all schemas are known that the rows were written with. */
  async ask<Q extends Query>(
    of: StoreName,
    query: Q,
    options?: QueryOptions,
  ): Promise<QueryResult<Answer<Q, any, any>>> {
    for (;;) {
      const unknown: UnknownSchemaId[] = []
      const result = this.#answer(of, query, options, unknown)
      if (unknown.length === 0) return result
      const fetched = await Promise.allSettled(unknown.map(({ resolve }) => resolve()))
      if (fetched.some(({ status }) => status === "rejected")) return result
    }
  }

  #answer(of: StoreName, query: Query, options: QueryOptions = {}, unknown: UnknownSchemaId[]): QueryResult<any> {
    const info = this.find(of)
    if ("limit" in query && query.limit !== undefined && !(Number.isSafeInteger(query.limit) && query.limit > 0)) {
      throw new PipelineError(`limit ${query.limit}: ask for a whole number of rows, at least one`)
    }
    const wanted = options.partitions ?? this.partitionsHere(info, options.allowStale)
    let position: Position = {}
    const partitions = new Map<number, PartitionResult<any>>()
    for (const partition of wanted) {
      const result = this.#read(info, partition, query, options, unknown)
      partitions.set(partition, result)
      if (result.ok) position = mergePositions(position, result.position)
    }
    return { partitions, position }
  }

  #read(
    info: StoreInfo,
    partition: number,
    query: Query,
    options: QueryOptions,
    unknown: UnknownSchemaId[],
  ): PartitionResult<any> {
    const own = this.readable(info, partition)
    const copy = own === undefined && options.allowStale === true ? this.#copy(info, partition) : undefined
    const readable = own ?? copy
    if (readable === undefined) return this.absent(info, partition)
    const position = copy === undefined ? this.#position(info, partition) : {}
    if (
      options.bound !== undefined &&
      !isUpTo(position, options.bound, info.subtopology === undefined ? undefined : partition)
    ) {
      const where =
        copy === undefined ? `is at ${JSON.stringify(position)}` : "is a copy, which does not know where it is"
      return failed("NOT_UP_TO_BOUND", `store "${info.name}", partition ${partition} ${where}`)
    }
    try {
      const view = bytesView(readable.store, options.isolation ?? "read_committed")
      const result = query.kind === "key" ? readOne(readable, view, query) : readRows(readable, view, query)
      return { ok: true, result, position, ...(copy && { lag: copy.lag, seenAt: copy.seenAt }) }
    } catch (failure) {
      if (failure instanceof UnknownSchemaId) unknown.push(failure)
      const message = failure instanceof Error ? failure.message : String(failure)
      return failed(failure instanceof UnknownQuery ? "UNKNOWN_QUERY_TYPE" : "STORE_EXCEPTION", message)
    }
  }

  /** What a partition that cannot be read here answers. */
  absent(info: StoreInfo, partition: number): PartitionResult<never> {
    const count = this.partitionCount(info)
    const which = `store "${info.name}", partition ${partition}`
    if (!Number.isSafeInteger(partition) || partition < 0 || partition >= count) {
      return failed("DOES_NOT_EXIST", `${which}: it has ${count} partitions`)
    }
    const { subtopology } = info
    if (subtopology !== undefined && this.#options.opening().includes(formatTaskId({ subtopology, partition }))) {
      return failed("NOT_ACTIVE", `${which} is being restored`)
    }
    return failed("NOT_PRESENT", `${which} is not in this process`)
  }

  #position({ name, subtopology }: StoreInfo, partition: number): Position {
    if (subtopology === undefined) return this.#options.globalTables.get(name)!.seen()
    const { tasks } = this.#options
    const task = tasks.get(formatTaskId({ subtopology, partition }))!
    return positionOf(task.group.queues.map((queue) => ({ ...nameOf(queue), next: tasks.committedPosition(queue) })))
  }

  override isHere(info: StoreInfo, partition: number): boolean {
    return this.readable(info, partition) !== undefined
  }
}

type Copied = Readable & CopiedStore

const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }) => ({ topic, partition })

const failed = (reason: FailureReason, message: string): PartitionResult<never> => ({ ok: false, reason, message })

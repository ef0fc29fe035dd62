/**
 * Answers queries from the stores of this process's tasks, and tells where the others are.
 *
 * Every partition is read at one instant between two steps of the worker, so that an answer never shows half of a
 * transaction; all partitions that are here are at the same transaction's end.
 */
import { partitionForKey } from "@millrace/client"
import type { GlobalTable, Table } from "../dsl/stream.ts"
import { PipelineError } from "../errors.ts"
import type { TaskEndpoints } from "../run/assignor-data.ts"
import type { GlobalStore } from "../state/global-store.ts"
import type { TaskSet } from "../run/task-set.ts"
import { formatTaskId } from "../topology/naming.ts"
import { type PartitionCounts, taskCount } from "../topology/partitions.ts"
import type { Topology } from "../topology/topology.ts"
import { bytesView } from "./bytes-view.ts"
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
import type { StoreDirectory, StoreInfo } from "./stores.ts"

/** Who has a key. */
export interface KeyMetadata {
  readonly partition: number
  /** HOST:PORT of the process that answers queries for it; undefined while nobody does, or it has no endpoint. */
  readonly endpoint: string | undefined
  readonly isHere: boolean
}

/** What one process has. */
export interface EndpointMetadata {
  readonly endpoint: string
  /** Partitions by store. */
  readonly stores: Readonly<Record<string, readonly number[]>>
}

export interface QueriesOptions {
  readonly topology: Topology
  readonly stores: StoreDirectory
  /** By name: each is one partition, and all of it is here. */
  readonly globalTables: ReadonlyMap<string, GlobalStore>
  readonly partitions: PartitionCounts
  readonly tasks: TaskSet
  /** Names of tasks that are being restored. */
  readonly opening: () => readonly string[]
  readonly endpoints: () => TaskEndpoints
}

type StoreName = string | Table<any, any, any> | GlobalTable<any, any>

export class Queries {
  readonly #options: QueriesOptions

  constructor(options: QueriesOptions) {
    this.#options = options
  }

  get stores(): readonly StoreInfo[] {
    return this.#options.stores.all
  }

  find(of: StoreName): StoreInfo {
    return this.#options.stores.find(of)
  }

  partitionCount({ subtopology }: StoreInfo): number {
    if (subtopology === undefined) return 1
    return taskCount(this.#options.topology, subtopology, this.#options.partitions)!
  }

  /** Partitions of a store whose tasks run here. */
  partitionsHere({ subtopology }: StoreInfo): number[] {
    if (subtopology === undefined) return [0]
    const ids = [...this.#options.tasks.tasks].map(({ taskId }) => taskId)
    return ids.filter((id) => id.subtopology === subtopology).map(({ partition }) => partition)
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

  query<Q extends Query>(of: StoreName, query: Q, options: QueryOptions = {}): QueryResult<Answer<Q, any, any>> {
    const info = this.find(of)
    if ("limit" in query && query.limit !== undefined && !(Number.isSafeInteger(query.limit) && query.limit > 0)) {
      throw new PipelineError(`limit ${query.limit}: ask for a whole number of rows, at least one`)
    }
    const wanted = options.partitions ?? this.partitionsHere(info)
    let position: Position = {}
    const partitions = new Map<number, PartitionResult<any>>()
    for (const partition of wanted) {
      const result = this.#ask(info, partition, query, options)
      partitions.set(partition, result)
      if (result.ok) position = mergePositions(position, result.position)
    }
    return { partitions, position }
  }

  #ask(info: StoreInfo, partition: number, query: Query, options: QueryOptions): PartitionResult<any> {
    const readable = this.readable(info, partition)
    if (readable === undefined) return this.#absent(info, partition)
    const position = this.#position(info, partition)
    if (
      options.bound !== undefined &&
      !isUpTo(position, options.bound, info.subtopology === undefined ? undefined : partition)
    ) {
      return failed("NOT_UP_TO_BOUND", `store "${info.name}", partition ${partition} is at ${JSON.stringify(position)}`)
    }
    try {
      const view = bytesView(readable.store, options.isolation ?? "read_committed")
      const result = query.kind === "key" ? readOne(readable, view, query) : readRows(readable, view, query)
      return { ok: true, result, position }
    } catch (failure) {
      const message = failure instanceof Error ? failure.message : String(failure)
      return failed(failure instanceof UnknownQuery ? "UNKNOWN_QUERY_TYPE" : "STORE_EXCEPTION", message)
    }
  }

  #absent(info: StoreInfo, partition: number): PartitionResult<never> {
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

  #position({ name, subtopology, spec }: StoreInfo, partition: number): Position {
    if (subtopology === undefined) return this.#options.globalTables.get(name)!.seen(spec.changelog)
    const { tasks } = this.#options
    const task = tasks.get(formatTaskId({ subtopology, partition }))!
    return positionOf(task.group.queues.map((queue) => ({ ...nameOf(queue), next: tasks.committedPosition(queue) })))
  }

  /** The partition of a key, as Kafka's default partitioner chooses it; or as whoever writes the input does. */
  partitionOf(info: StoreInfo, key: unknown, partitioner?: (key: unknown, partitions: number) => number): number {
    const count = this.partitionCount(info)
    return partitioner?.(key, count) ?? partitionForKey(info.inputKey.encode(key), count)
  }

  metadataForKey(of: StoreName, key: unknown, partitioner?: (key: any, partitions: number) => number): KeyMetadata {
    const info = this.find(of)
    const partition = this.partitionOf(info, key, partitioner)
    const isHere = this.readable(info, partition) !== undefined
    return { partition, endpoint: this.endpointOf(info, partition), isHere }
  }

  /** The process that answers queries for a partition, if one does. */
  endpointOf({ subtopology }: StoreInfo, partition: number): string | undefined {
    if (subtopology === undefined) return undefined
    const task = formatTaskId({ subtopology, partition })
    return Object.entries(this.#options.endpoints()).find(([, tasks]) => tasks.includes(task))?.[0]
  }

  allMetadata(): readonly EndpointMetadata[] {
    return Object.entries(this.#options.endpoints()).map(([endpoint, tasks]) => {
      const stores = this.stores.map(({ name, subtopology }) => {
        const prefix = `${subtopology}_`
        const partitions = tasks
          .filter((task) => task.startsWith(prefix))
          .map((task) => Number(task.slice(prefix.length)))
        return [name, partitions] as const
      })
      return { endpoint, stores: Object.fromEntries(stores.filter(([, partitions]) => partitions.length > 0)) }
    })
  }
}

const nameOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }) => ({ topic, partition })

const failed = (reason: FailureReason, message: string): PartitionResult<never> => ({ ok: false, reason, message })

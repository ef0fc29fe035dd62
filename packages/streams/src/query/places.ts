/**
 * Which stores there are, which partition a key is in, and which process answers queries for it.
 */
import { partitionForKey } from "@millrace/client"
import type { GlobalTable, Table } from "../dsl/stream.ts"
import { StateError } from "../errors.ts"
import type { TaskEndpoints, TasksThere } from "../run/assignor-data.ts"
import type { RunState } from "../run/state.ts"
import { formatTaskId, parseTaskId } from "../topology/naming.ts"
import { type PartitionCounts, taskCount } from "../topology/partitions.ts"
import type { Topology } from "../topology/topology.ts"
import type { PartitionResult } from "./query.ts"
import type { StoreDirectory, StoreInfo } from "./stores.ts"

/** Who has a key. */
export interface KeyMetadata {
  readonly partition: number
  /** HOST:PORT of the process that answers queries for it; undefined while nobody does, or it has no endpoint. */
  readonly endpoint: string | undefined
  /** Of processes that keep a copy of it, for stale reads. */
  readonly standbyEndpoints: readonly string[]
  readonly isHere: boolean
}

/** What one process has. */
export interface EndpointMetadata {
  readonly endpoint: string
  /** Partitions by store. */
  readonly stores: Readonly<Record<string, readonly number[]>>
  /** Those that it keeps copies of. */
  readonly standbyStores: Readonly<Record<string, readonly number[]>>
}

export interface PlacesOptions {
  readonly topology: Topology
  readonly stores: StoreDirectory
  readonly partitions: PartitionCounts
  readonly endpoints: () => TaskEndpoints
  readonly state: () => RunState
}

export type StoreName = string | Table<any, any, any> | GlobalTable<any, any>

export abstract class StorePlaces {
  readonly #options: PlacesOptions

  constructor(options: PlacesOptions) {
    this.#options = options
  }

  /** The partition's task runs in this process, restored. */
  abstract isHere(info: StoreInfo, partition: number): boolean

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

  /** The partition of a key, as Kafka's default partitioner chooses it; or as whoever writes the input does. */
  partitionOf(info: StoreInfo, key: unknown, partitioner?: (key: unknown, partitions: number) => number): number {
    const count = this.partitionCount(info)
    return partitioner?.(key, count) ?? partitionForKey(info.inputKey.encode(key), count)
  }

  metadataForKey(of: StoreName, key: unknown, partitioner?: (key: any, partitions: number) => number): KeyMetadata {
    const info = this.find(of)
    const partition = this.partitionOf(info, key, partitioner)
    const [endpoint, standbyEndpoints] = [this.endpointOf(info, partition), this.standbyEndpointsOf(info, partition)]
    return { partition, endpoint, standbyEndpoints, isHere: this.isHere(info, partition) }
  }

  /** The process that answers queries for a partition, if one does. */
  endpointOf(info: StoreInfo, partition: number): string | undefined {
    return this.#endpoints(info, partition, "active")[0]
  }

  /** Why a partition did not answer, to be thrown: no row would look like no such key. Without a result nobody has it. */
  absence(info: StoreInfo, partition: number, failed: PartitionResult<never> | undefined): StateError {
    if (failed?.ok === false && failed.reason !== "NOT_PRESENT") return new StateError(failed.message)
    return new StateError(`store "${info.name}": partition ${partition} is not here; ${this.#whereIs(info, partition)}`)
  }

  #whereIs(info: StoreInfo, partition: number): string {
    const endpoint = this.endpointOf(info, partition)
    if (endpoint !== undefined) return `${endpoint} has it`
    if (this.#options.state() !== "rebalancing") return "no process that answers queries has it now"
    return "this process is rebalancing or restoring: `await handle.untilRunning()` first"
  }

  /** The processes that have a copy of a partition and answer queries. */
  standbyEndpointsOf(info: StoreInfo, partition: number): readonly string[] {
    return this.#endpoints(info, partition, "standby")
  }

  #endpoints({ subtopology }: StoreInfo, partition: number, role: keyof TasksThere): readonly string[] {
    if (subtopology === undefined) return []
    const task = formatTaskId({ subtopology, partition })
    const endpoints = Object.entries(this.#options.endpoints())
    return endpoints.flatMap(([endpoint, there]) => (there[role].includes(task) ? [endpoint] : []))
  }

  allMetadata(): readonly EndpointMetadata[] {
    return Object.entries(this.#options.endpoints()).map(([endpoint, { active, standby }]) => ({
      endpoint,
      stores: this.#storesOf(active),
      standbyStores: this.#storesOf(standby),
    }))
  }

  #storesOf(tasks: readonly string[]): Readonly<Record<string, readonly number[]>> {
    const ids = tasks.map(parseTaskId)
    const stores = this.stores.map(({ name, subtopology }) => {
      const partitions = ids.filter((id) => id.subtopology === subtopology).map(({ partition }) => partition)
      return [name, partitions] as const
    })
    return Object.fromEntries(stores.filter(([, partitions]) => partitions.length > 0))
  }
}

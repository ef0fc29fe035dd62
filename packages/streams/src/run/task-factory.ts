/**
 * Makes a task ready to run: committed offsets first, then its stores restored, then its processors.
 */
import type { Serde } from "@millrace/schema"
import { FLUSH_LIMITS, type FlushLimits } from "../state/committed.ts"
import type { StateEngines } from "../state/engine.ts"
import { MemoryEngine } from "../state/memory-engine.ts"
import { openStore } from "../state/open-store.ts"
import type { GlobalRows } from "../state/global-store.ts"
import type { Store } from "../state/store.ts"
import type { EffectPort } from "../task/effects.ts"
import { decodeMetadata } from "../task/offset-metadata.ts"
import type { TaskLimits } from "../task/limits.ts"
import { Task, type TaskInput } from "../task/task.ts"
import type { RecordTracing } from "../task/tracing.ts"
import type { TaskId } from "../topology/naming.ts"
import type { Topology } from "../topology/topology.ts"
import { isOnDisk } from "../topology/node.ts"
import { type PartitionCounts, taskCount } from "../topology/partitions.ts"
import { type ClusterReader, partitionName, type TopicPartition, type TransactionalOutput } from "./ports.ts"
import { type RestoreOptions, restoreStore } from "./restore.ts"
import type { Replica } from "./standbys.ts"

export interface TaskFactoryOptions {
  readonly topology: Topology
  readonly partitions: PartitionCounts
  readonly cluster: ClusterReader
  readonly output: TransactionalOutput
  readonly engines: StateEngines
  readonly effects: EffectPort | undefined
  readonly restore: RestoreOptions
  readonly serde?: <T>(serde: Serde<T>, topic: string, isKey: boolean) => Serde<T>
  readonly flushLimits?: FlushLimits
  readonly taskLimits?: Partial<TaskLimits>
  readonly countsOperators?: boolean
  readonly tracing?: RecordTracing | undefined
  /** Told how many changelog records a task read before it could run. */
  readonly onRestored?: (records: number) => void
  readonly globalTables?: ReadonlyMap<string, GlobalRows>
  /** Of source topics that do not say themselves when they are idle; 0 never. */
  readonly idleAfterMs?: number
  /** How long a task waits for a partition that is read to its end: see task/partition-group.ts. */
  readonly maxTaskIdleMs?: number
  /** Where a partition without a committed offset begins. */
  readonly startAt?: "earliest" | "latest"
}

/** The input partitions of a task. */
export function inputsOf(topology: Topology, partitions: PartitionCounts, id: TaskId): TopicPartition[] {
  const { sources } = topology.subtopologies[id.subtopology]!
  return sources
    .filter(({ topic }) => id.partition < (partitions.get(topic) ?? 0))
    .map(({ topic }) => ({ topic, partition: id.partition }))
}

/** All tasks of a topology, in order. */
export function allTasks(topology: Topology, partitions: PartitionCounts): TaskId[] {
  return topology.subtopologies.flatMap(({ id: subtopology }) =>
    Array.from({ length: taskCount(topology, subtopology, partitions) ?? 0 }, (_, partition) => ({
      subtopology,
      partition,
    })),
  )
}

/** The stores of a task over their engines, as these are. */
export function openStores(id: TaskId, options: TaskFactoryOptions): Map<string, Store> {
  const stores = new Map<string, Store>()
  for (const spec of options.topology.subtopologies[id.subtopology]!.stores) {
    const bound = {
      ...spec,
      key: options.serde?.(spec.key, spec.changelog, true) ?? spec.key,
      value: options.serde?.(spec.value, spec.changelog, false) ?? spec.value,
    }
    const engine = isOnDisk(spec) ? options.engines.open(spec.name, id.partition) : new MemoryEngine()
    const store = openStore(bound, engine, options.flushLimits ?? FLUSH_LIMITS)
    stores.set(spec.name, store)
  }
  return stores
}

/** With a copy of the task's state, which goes on to be its own, or from what the engines hold. */
export async function makeTask(id: TaskId, options: TaskFactoryOptions, replica?: Replica): Promise<Task> {
  const { topology, partitions, cluster } = options
  const subtopology = topology.subtopologies[id.subtopology]!
  // A copy holds the stores that have a changelog to follow.
  const stores = new Map([...openStores(id, options), ...(replica?.stores ?? [])])
  let positions: TaskInput[]
  try {
    positions = await startPositions(inputsOf(topology, partitions, id), options)
    for (const [name, store] of stores) {
      const position = replica?.positions.get(name)
      const records = await restoreStore(store, id.partition, cluster, options.restore, position)
      options.onRestored?.(records)
    }
  } catch (failure) {
    // Whoever tries next begins with the engines, which must be at rest.
    await Promise.allSettled([...stores.values()].map(({ committed }) => committed.settle()))
    throw failure
  }
  return new Task({
    applicationId: topology.applicationId,
    pipeline: topology.plan.pipeline,
    id,
    subtopology,
    taskCount: taskCount(topology, id.subtopology, partitions)!,
    inputs: positions,
    stores,
    output: options.output,
    effects: options.effects,
    now: options.restore.now,
    ...(options.idleAfterMs !== undefined && { idleAfterMs: options.idleAfterMs }),
    ...(options.maxTaskIdleMs !== undefined && { maxTaskIdleMs: options.maxTaskIdleMs }),
    ...(options.serde && { serde: options.serde }),
    ...(options.countsOperators !== undefined && { countsOperators: options.countsOperators }),
    ...(options.tracing && { tracing: options.tracing }),
    ...(options.globalTables && { globalTables: options.globalTables }),
    ...(options.taskLimits && { limits: options.taskLimits }),
  })
}

async function startPositions(inputs: readonly TopicPartition[], options: TaskFactoryOptions): Promise<TaskInput[]> {
  const { cluster, startAt = "earliest" } = options
  const committed = await cluster.committed(inputs)
  const unread = inputs.filter((input) => !committed.has(partitionName(input)))
  // A repartition topic holds nothing but what this application wrote for itself: it is never skipped.
  const internal = new Set(options.topology.repartitions.map(({ topic }) => topic))
  const isFromEnd = ({ topic }: TopicPartition) => startAt === "latest" && !internal.has(topic)
  const start = new Map([
    ...(await cluster.beginningOffsets(unread.filter((input) => !isFromEnd(input)))),
    ...(await cluster.endOffsets(unread.filter(isFromEnd))),
  ])
  return inputs.map((input) => {
    const found = committed.get(partitionName(input))
    const position = found?.offset ?? start.get(partitionName(input)) ?? 0
    return { ...input, position, metadata: decodeMetadata(found?.metadata) }
  })
}

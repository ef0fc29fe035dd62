/**
 * How far the stores of a process are behind their changelogs (`allLocalStorePartitionLags`, KIP-535): what a stale read of
 * them would miss, and what is left to do before a task runs.
 *
 * The state of a task that runs is the newest there is. One that is being restored, and copies of other processes' tasks,
 * lack what is behind their position, in offsets: a transaction's marker is one too.
 */
import type { RestoreReport } from "../metrics/report.ts"
import type { ReadableEnds } from "../run/changelog-ends.ts"
import { partitionName } from "../run/ports.ts"
import type { FollowedChangelog } from "../run/standbys.ts"
import type { TaskId } from "../topology/naming.ts"
import type { StoreInfo } from "./stores.ts"

export interface StoreLag {
  readonly store: string
  readonly partition: number
  /** Of a task that runs here, of one that is being restored, or of a copy. */
  readonly role: "active" | "restoring" | "standby"
  readonly lag: number
}

export interface LagsOptions {
  /** Those that can be asked. */
  readonly stores: readonly Pick<StoreInfo, "name" | "subtopology">[]
  readonly running: () => Iterable<{ readonly taskId: TaskId }>
  readonly restoring: () => readonly RestoreReport[]
  /** By copies that are kept here. */
  readonly followed: () => readonly FollowedChangelog[]
  readonly readableEnds: ReadableEnds
}

export async function storeLags(options: LagsOptions): Promise<readonly StoreLag[]> {
  const { stores, running, restoring, followed, readableEnds } = options
  const ends = await readableEnds(followed().map(({ changelog }) => changelog))
  const active = [...running()].flatMap(({ taskId: { subtopology, partition } }) =>
    stores
      .filter((store) => store.subtopology === subtopology)
      .map(({ name: store }): StoreLag => ({ store, partition, role: "active", lag: 0 })),
  )
  const known = new Set(stores.map(({ name }) => name))
  const restored = restoring()
    .filter(({ store }) => known.has(store))
    .map(({ store, partition, remaining: lag }): StoreLag => ({ store, partition, role: "restoring", lag }))
  // Where they are by now, so that what was read while the ends were asked for is not missed.
  const copied = followed().flatMap(({ store, changelog, position }): StoreLag[] => {
    const end = ends.get(partitionName(changelog))
    if (end === undefined || !known.has(store)) return []
    return [{ store, partition: changelog.partition, role: "standby", lag: Math.max(0, end - position) }]
  })
  return sortLags([...active, ...restored, ...copied])
}

export const sortLags = (lags: readonly StoreLag[]): readonly StoreLag[] =>
  lags.toSorted((left, right) =>
    left.store === right.store ? left.partition - right.partition : left.store < right.store ? -1 : 1,
  )

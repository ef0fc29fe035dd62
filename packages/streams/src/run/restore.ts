/**
 * Brings a store up to the committed end of its changelog.
 *
 * The engine is a consistent point of the past, so only what lies behind its checkpoint is read. It starts over when it
 * belongs to another topic of that name, when its offset has left the log, or when it is older than the changelog keeps
 * deletions. The end is asked for as read_uncommitted *after* the committed offsets were fetched with RequireStable, and
 * committed records are read until the *position* reaches it: an earlier end would lose the updates of a transaction that
 * was still being completed (KAFKA-10167).
 */
import type { Store } from "../state/store.ts"
import { isLogged } from "../topology/node.ts"
import { type ClusterReader, partitionName, type TopicPartition } from "./ports.ts"

export interface RestoreOptions {
  /** Of changelog topics: engines older than this may lack deletions that the topic has forgotten. */
  readonly deleteRetentionMs: number
  readonly now: () => number
  /** Ends the restore between two fetches. */
  readonly signal?: AbortSignal
  /** Told between two fetches how far a store is. */
  readonly onProgress?: (store: string, partition: number, restored: number, remaining: number) => void
}

/** Where a restore goes on, and where the changelog ends now. */
export interface RestoreStart {
  readonly topicId: string
  readonly from: number
  readonly end: number
}

/** Clears an engine that cannot be gone on from. */
export async function beginRestore(
  store: Store,
  partition: number,
  cluster: ClusterReader,
  options: RestoreOptions,
): Promise<RestoreStart> {
  const changelog = { topic: store.spec.changelog, partition }
  const name = partitionName(changelog)
  const { engine } = store.committed
  const topicId = await cluster.topicId(changelog.topic)
  const beginning = (await cluster.beginningOffsets([changelog])).get(name) ?? 0
  const end = (await cluster.endOffsets([changelog])).get(name) ?? 0
  const checkpoint = engine.checkpoint()
  const isUsable =
    checkpoint !== undefined &&
    checkpoint.topicId === topicId &&
    checkpoint.offset >= beginning &&
    checkpoint.offset <= end &&
    options.now() - checkpoint.writtenAt < options.deleteRetentionMs
  if (!isUsable) await store.committed.clear()
  return { topicId, from: isUsable ? checkpoint.offset : beginning, end }
}

/**
 * Answers how many records were read. A store that was kept up to date as a copy goes on from `position`, not from its
 * engine.
 */
export async function restoreStore(
  store: Store,
  partition: number,
  cluster: ClusterReader,
  options: RestoreOptions,
  position?: number,
): Promise<number> {
  if (!isLogged(store.spec)) return 0
  const changelog = { topic: store.spec.changelog, partition }
  const { topicId, from, end } =
    position === undefined
      ? await beginRestore(store, partition, cluster, options)
      : await goOn(changelog, position, cluster)
  let records = 0
  const restoreOne = (key: Uint8Array | null, value: Uint8Array | null, timestamp: number) => {
    if (key === null) return
    store.restore(key, value, timestamp)
    records++
  }
  const progress = (offset: number) => options.onProgress?.(store.spec.name, partition, records, end - offset)
  progress(from)
  await cluster.read(changelog, from, end, restoreOne, async (offset) => {
    options.signal?.throwIfAborted()
    progress(offset)
    if (!store.committed.isDue(options.now())) return
    store.committed.flush({ topicId, offset, writtenAt: options.now() })
    if (store.committed.isFull) await store.committed.settle()
  })
  return records
}

async function goOn(changelog: TopicPartition, from: number, cluster: ClusterReader): Promise<RestoreStart> {
  const end = (await cluster.endOffsets([changelog])).get(partitionName(changelog)) ?? 0
  return { topicId: await cluster.topicId(changelog.topic), from, end }
}

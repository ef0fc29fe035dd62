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
import { BulkLoad } from "../state/bulk-load.ts"
import type { CommittedBytes } from "../state/committed.ts"
import type { Checkpoint } from "../state/engine.ts"
import { type ChangelogRecord, type ClusterReader, partitionName, type TopicPartition } from "./ports.ts"
import type { SnapshotSource } from "./snapshots.ts"

export interface RestoreOptions {
  /** Of changelog topics: engines older than this may lack deletions that the topic has forgotten. */
  readonly deleteRetentionMs: number
  readonly now: () => number
  /** How much of one store may wait to be written. */
  readonly loadBytesMax?: () => number
  /** Ends the restore between two fetches. */
  readonly signal?: AbortSignal
  /** Looked at where the engine cannot be gone on from, or is far behind. */
  readonly snapshots?: SnapshotSource
  /** Told between two fetches how far a store is. */
  readonly onProgress?: (store: string, partition: number, restored: number, remaining: number) => void
}

/** Of all stores that are restored at the same time. */
export const LOAD_BYTES_MAX = 128 * 1024 * 1024

/** Where a restore goes on, and where the changelog ends now. */
export interface RestoreStart {
  readonly topicId: string
  readonly from: number
  readonly end: number
}

/** Clears an engine that cannot be gone on from, or fills it with a snapshot. */
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
  const isUsable = (checkpoint: Checkpoint | undefined): checkpoint is Checkpoint =>
    checkpoint !== undefined &&
    checkpoint.topicId === topicId &&
    checkpoint.offset >= beginning &&
    checkpoint.offset <= end &&
    options.now() - checkpoint.writtenAt < options.deleteRetentionMs
  const local = engine.checkpoint()
  const from = isUsable(local) ? local.offset : undefined
  // A snapshot has about as many rows as the engine: it is worth a look when more than that is to be read.
  if (end - (from ?? beginning) > (from === undefined ? 0 : engine.stats().entries)) {
    const { snapshots, signal } = options
    const wanted = { store: store.spec.name, partition, topicId, engine, from, isUsable }
    await snapshots?.fill({ ...wanted, ...(signal && { signal }) })
  }
  const checkpoint = engine.checkpoint()
  if (isUsable(checkpoint)) return { topicId, from: checkpoint.offset, end }
  await store.committed.clear()
  return { topicId, from: beginning, end }
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
  const { committed } = store
  // A copy has rows in its memtable, which what it reads now has to lie over.
  const load =
    position === undefined ? new BulkLoad(committed, options.loadBytesMax ?? (() => LOAD_BYTES_MAX)) : undefined
  const restoreOne = (record: ChangelogRecord) => {
    const key = record.key()
    if (key === null) return
    const headers = store.headersToKeep(record)
    if (load === undefined) store.restore(key, record.value(), record.timestamp, headers)
    else load.add(key, record.value(), record.timestamp, headers)
    records++
  }
  const progress = (offset: number) => options.onProgress?.(store.spec.name, partition, records, end - offset)
  const checkpoint = (offset: number): Checkpoint => ({ topicId, offset, writtenAt: options.now() })
  progress(from)
  const reached = await cluster.read(changelog, from, end, restoreOne, async (offset) => {
    options.signal?.throwIfAborted()
    progress(offset)
    if (load === undefined) await flushIfDue(committed, checkpoint(offset))
    else if (load.isFull) await load.flush(checkpoint(offset))
  })
  await load?.end(checkpoint(reached))
  store.forgetReads()
  return records
}

/** What is read of a changelog goes to the engine when there is enough of it; waits when the engine is behind. */
export async function flushIfDue(committed: CommittedBytes, checkpoint: Checkpoint): Promise<void> {
  if (!committed.isDue(checkpoint.writtenAt)) return
  committed.flush(checkpoint)
  if (committed.isFull) await committed.settle()
}

async function goOn(changelog: TopicPartition, from: number, cluster: ClusterReader): Promise<RestoreStart> {
  const end = (await cluster.endOffsets([changelog])).get(partitionName(changelog)) ?? 0
  return { topicId: await cluster.topicId(changelog.topic), from, end }
}

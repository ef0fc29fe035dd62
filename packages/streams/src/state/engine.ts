/**
 * Where a store's committed bytes rest: the port below the memtable.
 *
 * An engine is a consistent point of the past: `write` makes a batch and its checkpoint durable together or not at all,
 * in order. What it lacks after a crash is replayed from the changelog's tail, from the checkpoint's offset on. It never
 * sees the open transaction. The in-memory, the LMDB and the simulated engine pass one suite, test/conformance/state-engine.ts.
 *
 * Keys and values are the caller's until `write` settles; what `get` and `range` hand out is valid until the next call.
 */
export interface StateEngine {
  get(key: Uint8Array): Uint8Array | undefined
  /** Entries with `from <= key < to` in byte order, or against it; an absent bound is open. */
  range(from?: Uint8Array, to?: Uint8Array, reverse?: boolean): Iterable<readonly [key: Uint8Array, value: Uint8Array]>
  /** Applies a batch, null deleting. Batches settle in the order given. */
  write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void>
  checkpoint(): Checkpoint | undefined
  stats(): EngineStats
  /** Forgets everything, checkpoint included. */
  clear(): Promise<void>
}

/** How much an engine holds, roughly. */
export interface EngineStats {
  readonly entries: number
  readonly bytes: number
}

export interface EngineWrite {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** How far into the changelog the content reaches. */
export interface Checkpoint {
  /** A topic made anew under the old name has other content. */
  readonly topicId: string
  /** Every committed record below this offset is in the engine. */
  readonly offset: number
  /** Wall-clock milliseconds: older than `delete.retention.ms`, deleted keys could rise again. */
  readonly writtenAt: number
}

/** The engines of one process, one per store and partition. */
export interface StateEngines {
  open(store: string, partition: number): StateEngine
  /** Stores that have content here. */
  list(): ReadonlyArray<{ readonly store: string; readonly partition: number }>
  /** Frees a store that moved to another worker for good. */
  destroy(store: string, partition: number): Promise<void>
  close(): Promise<void>
}

export const KEY_LENGTH_BYTES_MAX = 1_900

export const engineName = (store: string, partition: number): string => `${store}-${partition}`

export function parseEngineName(name: string): { readonly store: string; readonly partition: number } {
  const dash = name.lastIndexOf("-")
  return { store: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}

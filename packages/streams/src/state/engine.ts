/**
 * Where a store's committed bytes rest: the port below the memtable.
 *
 * An engine is a consistent point of the past: `write` makes a batch and its checkpoint durable together or not at all,
 * in order. What it lacks after a crash is replayed from the changelog's tail, from the checkpoint's offset on. It never
 * sees the open transaction. The in-memory, the LMDB and the simulated engine pass one suite, test/conformance/state-engine.ts.
 *
 * Keys are strings of bytes (byte-order.ts). Values are the caller's again once `write` settles; what `get` and `range` hand
 * out is valid until the next call.
 */
export interface StateEngine {
  get(key: string): Uint8Array | undefined
  /** Entries with `from <= key < to` in byte order, or against it; an absent bound is open. */
  range(from?: string, to?: string, reverse?: boolean): Iterable<readonly [key: string, value: Uint8Array]>
  /** The keys alone of such a range, in byte order. */
  keys(from?: string, to?: string): Iterable<string>
  /** Applies a batch, null deleting; in the order of its keys it costs least. Batches settle in the order given. */
  write(batch: readonly EngineWrite[], checkpoint: Checkpoint): Promise<void>
  checkpoint(): Checkpoint | undefined
  stats(): EngineStats
  /** What was written until now; undefined when nothing was. Engines that are made for one process's life may have none. */
  image?(): EngineImage | undefined
  /** Forgets everything, checkpoint included. */
  clear(): Promise<void>
}

/** An engine's content at one moment, while the engine goes on. It holds on to what is overwritten until it is released. */
export interface EngineImage {
  readonly checkpoint: Checkpoint
  /** In no order, and a key perhaps twice. What a step hands out is valid until the next. */
  entries(): Iterable<readonly [key: string, value: Uint8Array]>
  release(): void
}

/** How much an engine holds, roughly. */
export interface EngineStats {
  readonly entries: number
  readonly bytes: number
}

export interface EngineWrite {
  readonly key: string
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

export interface StoredContent {
  readonly store: string
  readonly partition: number
  readonly checkpoint: Checkpoint
}

/** The engines of one process, one per store and partition. */
export interface StateEngines {
  open(store: string, partition: number): StateEngine
  /** Stores that have content here, and how far into the changelog it reaches. */
  list(): readonly StoredContent[]
  /** Frees a store that moved to another worker for good. */
  destroy(store: string, partition: number): Promise<void>
  close(): Promise<void>
}

export const KEY_LENGTH_BYTES_MAX = 1_900

export const engineName = (store: string, partition: number): string => `${store}-${partition}`

/** What of these engines has content. */
export function contentOf(engines: Iterable<readonly [name: string, engine: StateEngine]>): StoredContent[] {
  const listed: StoredContent[] = []
  for (const [name, engine] of engines) {
    const checkpoint = engine.checkpoint()
    if (checkpoint !== undefined) listed.push({ ...parseEngineName(name), checkpoint })
  }
  return listed
}

export function parseEngineName(name: string): { readonly store: string; readonly partition: number } {
  const dash = name.lastIndexOf("-")
  return { store: name.slice(0, dash), partition: Number(name.slice(dash + 1)) }
}

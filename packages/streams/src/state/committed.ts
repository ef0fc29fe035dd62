/**
 * A store's committed bytes: the memtable over the memtable being written over the engine.
 *
 * A commit puts into the memtable and never waits. When that is big or old enough it becomes the one being written, a
 * fresh one takes its place, and both stay readable until the engine has settled. The checkpoint written with it is the
 * changelog offset up to which merged transactions reach, no further. Two memtables full at once is the limit: then
 * `isFull` asks the worker to wait for the engine.
 */
import { above } from "./byte-order.ts"
import type { Checkpoint, EngineStats, EngineWrite, StateEngine } from "./engine.ts"
import { Memtable } from "./memtable.ts"

export interface FlushLimits {
  readonly memtableBytesMax: number
  readonly memtableAgeMs: number
}

export const FLUSH_LIMITS: FlushLimits = { memtableBytesMax: 16 * 1024 * 1024, memtableAgeMs: 5_000 }

export class CommittedBytes {
  readonly #engine: StateEngine
  /** Characters of a key that sort it into a bucket of the memtable: of a window store, the window's start. */
  readonly prefixLength: number
  readonly #limits: FlushLimits
  #active: Memtable
  #writing: Memtable | undefined
  #settled: Promise<void> = Promise.resolve()
  #failure: unknown
  #since: number | undefined

  constructor(engine: StateEngine, prefixLength: number, limits: FlushLimits) {
    this.#engine = engine
    this.prefixLength = prefixLength
    this.#limits = limits
    this.#active = new Memtable(prefixLength)
  }

  get engine(): StateEngine {
    return this.#engine
  }

  get(key: string): Uint8Array | undefined {
    const recent = this.#active.get(key)
    if (recent !== undefined) return recent ?? undefined
    const older = this.#writing?.get(key)
    if (older !== undefined) return older ?? undefined
    return this.#engine.get(key)
  }

  put(key: string, value: Uint8Array | null): void {
    this.#active.put(key, value)
  }

  /** Live entries with `from <= key < to`, in byte order or against it. Nothing may be put while it runs. */
  *range(from?: string, to?: string, reverse = false): Iterable<readonly [string, Uint8Array]> {
    const layers = [
      this.#active.range(from, to, reverse),
      this.#writing?.range(from, to, reverse) ?? [],
      this.#engine.range(from, to, reverse),
    ]
    yield* mergeLayers(layers, reverse)
  }

  /**
   * The prefixes (windows' starts) in `[from, to)` under which something may be kept, in order. It costs what there are
   * prefixes, not keys: the engine is asked for the first key at or after each.
   */
  prefixes(from: string, to: string): string[] {
    const found = new Set([...this.#active.prefixes(from, to), ...(this.#writing?.prefixes(from, to) ?? [])])
    for (let next: string | undefined = from; next !== undefined && next < to;) {
      const [first]: Iterable<string> = this.#engine.keys(next, to)
      if (first === undefined) break
      const prefix = first.slice(0, this.prefixLength)
      found.add(prefix)
      next = above(prefix)
    }
    return [...found].sort()
  }

  /** At most `limit` keys of live entries whose prefix lies in `[from, to)`, in no order: cheaper than a range. */
  keysBetween(from: string, to: string, limit: number): string[] {
    const seen = new Set<string>()
    const found: string[] = []
    for (const layer of [this.#active, this.#writing]) {
      for (const [key, value] of layer?.keysBetween(from, to) ?? []) {
        if (seen.has(key)) continue
        seen.add(key)
        if (value !== null && found.push(key) === limit) return found
      }
    }
    for (const key of this.#engine.keys(from, to)) {
      if (!seen.has(key) && found.push(key) === limit) return found
    }
    return found
  }

  /** Rows and bytes, roughly: an entry that waits to be written may be in the engine too. */
  stats(): EngineStats {
    const { entries, bytes } = this.#engine.stats()
    const waiting = [this.#active, this.#writing]
    return {
      entries: entries + waiting.reduce((sum, one) => sum + (one?.entryCount ?? 0), 0),
      bytes: bytes + waiting.reduce((sum, one) => sum + (one?.sizeBytes ?? 0), 0),
    }
  }

  get isFull(): boolean {
    return this.#writing !== undefined && this.#active.sizeBytes >= this.#limits.memtableBytesMax
  }

  /** Something is in memory alone, apart from what is being written. */
  get hasUnwritten(): boolean {
    return this.#active.entryCount > 0
  }

  /** Big or old enough to be written, and nothing is being written. */
  isDue(now: number): boolean {
    if (this.#active.entryCount === 0 || this.#writing !== undefined) return false
    this.#since ??= now
    return this.#active.sizeBytes >= this.#limits.memtableBytesMax || now - this.#since >= this.#limits.memtableAgeMs
  }

  /** Hands the memtable to the engine. What fails is thrown by the next `settle`. */
  flush(checkpoint: Checkpoint): void {
    if (this.#active.entryCount === 0 || this.#writing !== undefined) return
    const writing = this.#active
    this.#writing = writing
    this.#active = new Memtable(this.prefixLength)
    this.#since = undefined
    this.write(writing.inOrder(), checkpoint)
  }

  /** Hands rows to the engine that are in the memtable being written, or that nobody reads yet. What fails as above. */
  write(rows: readonly EngineWrite[], checkpoint: Checkpoint): void {
    this.#settled = this.#engine.write(rows, checkpoint).then(
      () => void (this.#writing = undefined),
      (failure: unknown) => void (this.#failure = failure),
    )
  }

  /** Waits for the write under way. */
  async settle(): Promise<void> {
    await this.#settled
    if (this.#failure !== undefined) throw this.#failure
  }

  async clear(): Promise<void> {
    await this.#settled
    this.#active = new Memtable(this.prefixLength)
    this.#writing = undefined
    await this.#engine.clear()
  }
}

/** Merges layers sorted alike, the first winning; a deletion hides what lies below. */
export function* mergeLayers<V>(
  layers: ReadonlyArray<Iterable<readonly [string, V | null]>>,
  reverse = false,
): Iterable<readonly [string, V]> {
  const cursors = layers.map((layer) => layer[Symbol.iterator]())
  const heads = cursors.map((cursor) => cursor.next())
  while (true) {
    let least: string | undefined
    for (const head of heads) {
      if (!head.done && (least === undefined || head.value[0] < least !== reverse)) least = head.value[0]
    }
    if (least === undefined) return
    let found: V | null | undefined
    for (const [index, head] of heads.entries()) {
      if (head.done || head.value[0] !== least) continue
      if (found === undefined) found = head.value[1]
      heads[index] = cursors[index]!.next()
    }
    if (found) yield [least, found]
  }
}

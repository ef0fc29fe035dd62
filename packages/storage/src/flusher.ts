/**
 * Makes a log durable and knows how far it is: the recovery point.
 *
 * Order matters when the power fails. A segment's batches, then its indexes and the producer snapshot at its end, then
 * the leader epochs, then the directory's names: only after all of them does the recovery point move, so that what lies
 * below it never needs recovery. The active segment's indexes stay out: recovery reads that segment anyway. So does all but
 * the batches of a log that is read whole.
 *
 * Concurrent callers of `flushLater` share one sync. One that comes while a sync runs waits for the next, since the
 * running one may have started before its bytes were written.
 */
import { isDiskFull } from "@millrace/host"
import type { LeaderEpochs } from "./leader-epochs.ts"
import type { LogNames } from "./log-names.ts"
import type { ProducerSnapshots } from "./producer-snapshots.ts"
import type { Segment } from "./segment.ts"
import { isReadWhole, type SegmentList } from "./segment-list.ts"
import type { SyncTurns } from "./sync-turns.ts"

export class Flusher {
  readonly #names: LogNames
  readonly #turns: SyncTurns
  readonly #segments: SegmentList
  readonly #snapshots: ProducerSnapshots
  readonly #epochs: LeaderEpochs
  #recoveryPoint: number
  #running: Promise<void> | undefined
  #waiting: Promise<void> | undefined
  #failure: unknown
  #stopped = false
  /** Syncs under way; each holds the lowest offset that the log was cut to meanwhile: it proves nothing beyond. */
  readonly #runs = new Set<{ cutTo: number }>()

  constructor(
    names: LogNames,
    turns: SyncTurns,
    segments: SegmentList,
    snapshots: ProducerSnapshots,
    epochs: LeaderEpochs,
    recoveryPoint: number,
  ) {
    this.#names = names
    this.#turns = turns
    this.#segments = segments
    this.#snapshots = snapshots
    this.#epochs = epochs
    this.#recoveryPoint = recoveryPoint
  }

  /** Everything below it is durable. */
  get recoveryPoint(): number {
    return this.#recoveryPoint
  }

  /** Throws the sync failure of earlier: after one, the kernel may have dropped pages, so nothing more is promised. */
  assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** The log was cut: durable is at most what is left. */
  lower(offset: number): void {
    for (const run of this.#runs) run.cutTo = Math.min(run.cutTo, offset)
    if (offset < this.#recoveryPoint) this.#recoveryPoint = offset
  }

  /** The log is closed: its files are another log's, perhaps, by the time that a sync under way is done. */
  stop(): void {
    this.#stopped = true
  }

  /** Syncs up to the log's end; returns when it is durable. */
  flush(): void {
    this.assertSound()
    const end = this.#segments.active.nextOffset
    if (end <= this.#recoveryPoint && !this.#names.dirty) return
    this.#guard(() => {
      for (const segment of this.#dirty()) segment.file.sync()
      this.#settle(end)
    })
  }

  /** The same without blocking the caller for the device. */
  flushLater(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#segments.active.nextOffset <= this.#recoveryPoint && !this.#names.dirty) return Promise.resolve()
    this.#waiting ??= this.#next()
    return this.#waiting
  }

  async #next(): Promise<void> {
    try {
      await this.#running
    } catch {
      // Its own callers got the failure; assertSound below tells ours.
    }
    await this.#turns.next()
    try {
      // Callers of this turn join before the sync starts.
      await Promise.resolve()
      this.#running = this.#waiting
      this.#waiting = undefined
      await this.#syncLater()
    } finally {
      this.#turns.done()
    }
  }

  async #syncLater(): Promise<void> {
    this.assertSound()
    if (this.#stopped) return
    const run = { cutTo: this.#segments.active.nextOffset }
    this.#runs.add(run)
    try {
      for (const segment of this.#dirty()) {
        await segment.syncLater()
        if (this.#stopped) return
      }
      await this.#names.syncTopicIdLater()
      if (this.#stopped) return
    } catch (cause) {
      this.#failure ??= cause
      throw cause
    } finally {
      this.#runs.delete(run)
    }
    this.#guard(() => this.#settle(run.cutTo))
  }

  /** What follows the sync of the batches below `end`. */
  #settle(end: number): void {
    if (end <= this.#recoveryPoint && !this.#names.dirty) return
    for (const segment of this.#dirty()) {
      if (segment === this.#segments.active || segment.nextOffset > end) break
      segment.writeIndexes()
      segment.syncIndexes()
      this.#names.mark()
    }
    this.#snapshots.sync(end)
    if (!isReadWhole(this.#segments)) this.#epochs.save()
    this.#names.sync()
    if (end > this.#recoveryPoint) this.#recoveryPoint = end
  }

  /** Segments that reach beyond the recovery point. */
  #dirty(): Segment[] {
    const first = Math.max(this.#segments.indexFor(this.#recoveryPoint), 0)
    return this.#segments.all.slice(first)
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (cause) {
      // Without room for what is written beside the batches nothing is lost: it is written again by the next flush.
      if (!isDiskFull(cause)) this.#failure ??= cause
      throw cause
    }
  }
}

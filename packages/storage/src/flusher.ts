/**
 * Makes a log durable and knows how far it is: the recovery point.
 *
 * Order matters when the power fails. A segment's batches, then its indexes and the producer snapshot at its end, then
 * the leader epochs, then the directory's names: only after all of them does the recovery point move, so that what lies
 * below it never needs recovery. The active segment's indexes stay out: recovery reads that segment anyway.
 *
 * Concurrent callers of `flushLater` share one sync. One that comes while a sync runs waits for the next, since the
 * running one may have started before its bytes were written.
 */
import type { Disk } from "@millrace/host"
import type { LeaderEpochs } from "./leader-epochs.ts"
import type { ProducerSnapshots } from "./producer-snapshots.ts"
import type { Segment } from "./segment.ts"
import type { SegmentList } from "./segment-list.ts"

export class Flusher {
  readonly #disk: Disk
  readonly #directory: string
  readonly #segments: SegmentList
  readonly #snapshots: ProducerSnapshots
  readonly #epochs: LeaderEpochs
  #recoveryPoint: number
  #namesDirty = false
  #running: Promise<void> | undefined
  #waiting: Promise<void> | undefined
  #failure: unknown
  #stopped = false
  /** Syncs under way; each holds the lowest offset that the log was cut to meanwhile: it proves nothing beyond. */
  readonly #runs = new Set<{ cutTo: number }>()

  constructor(
    disk: Disk,
    directory: string,
    segments: SegmentList,
    snapshots: ProducerSnapshots,
    epochs: LeaderEpochs,
    recoveryPoint: number,
  ) {
    this.#disk = disk
    this.#directory = directory
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

  /** A file was made or renamed in the log's directory. */
  markNames(): void {
    this.#namesDirty = true
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
    if (end <= this.#recoveryPoint && !this.#namesDirty) return
    this.#guard(() => {
      for (const segment of this.#dirty()) segment.file.sync()
      this.#settle(end)
    })
  }

  /** The same without blocking the caller for the device. */
  flushLater(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (this.#segments.active.nextOffset <= this.#recoveryPoint && !this.#namesDirty) return Promise.resolve()
    this.#waiting ??= this.#next()
    return this.#waiting
  }

  async #next(): Promise<void> {
    try {
      await this.#running
    } catch {
      // Its own callers got the failure; assertSound below tells ours.
    }
    // Callers of this turn join before the sync starts.
    await Promise.resolve()
    this.#running = this.#waiting
    this.#waiting = undefined
    await this.#syncLater()
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
    if (end <= this.#recoveryPoint && !this.#namesDirty) return
    for (const segment of this.#dirty()) {
      if (segment === this.#segments.active || segment.nextOffset > end) break
      segment.writeIndexes()
      segment.syncIndexes()
      this.#namesDirty = true
    }
    this.#snapshots.sync(end)
    this.#epochs.save()
    if (this.#namesDirty) this.#disk.syncDirectory(this.#directory)
    this.#namesDirty = false
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
      this.#failure ??= cause
      throw cause
    }
  }
}

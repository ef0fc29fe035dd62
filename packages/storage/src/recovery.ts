/**
 * Opening a log: from its files to segments, producer state and leader epochs.
 *
 * After a clean shutdown the files are taken at their word, and only the end behind the last index entry is read, of a log
 * that is not read whole.
 * Otherwise every segment from the recovery point on is read and checked, and its indexes, the leader epochs and the
 * producer state are rebuilt from its batches. What a crash tore off an unflushed end is cut, and reported; damage that
 * a crash cannot explain, or below the recovery point, is an error, because cutting it could lose acknowledged records.
 *
 * Offsets across segments from the recovery point on have no gaps (a segment is named by the end of the one before, and
 * compaction moves the recovery point past what it touches). A gap there is a lost end of a file, and what follows goes.
 */
import type { Disk } from "@millrace/host"
import { CorruptRecordError } from "@millrace/protocol/record/corrupt"
import { isTornTail } from "./damage.ts"
import { recoverSwaps } from "./cleaner/swap.ts"
import { CorruptLogError } from "./faults.ts"
import {
  LEADER_EPOCH_FILE,
  LEFTOVER_SUFFIXES,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  offsetOfFileName,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from "./layout.ts"
import { LeaderEpochs } from "./leader-epochs.ts"
import { isCompacted, type LogConfig } from "./log-config.ts"
import type { OpenSegments } from "./open-segments.ts"
import { ProducerSnapshots } from "./producer-snapshots.ts"
import { ProducerState } from "./producer-state.ts"
import { type Damage, scanBatches } from "./scan.ts"
import { Segment } from "./segment.ts"
import { isReadWhole, SegmentList } from "./segment-list.ts"

/** What recovery removed from the end of a log. */
export interface RecoveryReport {
  readonly path: string
  /** Byte from which the file was cut. */
  readonly position: number
  readonly bytesRemoved: number
  readonly segmentsRemoved: number
  /** The log's end offset after the cut. */
  readonly endOffset: number
  readonly reason: string
}

export interface LoadOptions {
  readonly disk: Disk
  readonly directory: string
  readonly config: LogConfig
  readonly now: number
  readonly cleanShutdown: boolean
  /** Everything below it was flushed; undefined when that is not known. */
  readonly recoveryPoint: number | undefined
  readonly logStartOffset: number
  /** It was compacted before: gaps between its segments may be no loss. */
  readonly wasCleaned: boolean
  readonly openSegments: OpenSegments
  /** The names of the log are not durable yet; the first flush sees to them. */
  readonly isNew: boolean
  readonly onRecovered: (report: RecoveryReport) => void
}

export interface LoadedLog {
  readonly segments: SegmentList
  readonly producers: ProducerState
  readonly snapshots: ProducerSnapshots
  readonly epochs: LeaderEpochs
  readonly logStartOffset: number
}

export function loadLog(options: LoadOptions): LoadedLog {
  const segments = new SegmentList()
  try {
    return load(options, segments)
  } catch (cause) {
    for (const segment of segments.all) segment.retire()
    throw cause
  }
}

function load(options: LoadOptions, segments: SegmentList): LoadedLog {
  const { disk, directory, openSegments, config, now } = options
  const newSegment = (base: number) => new Segment(disk, openSegments, directory, base, config.indexIntervalBytes, now)
  const start = (base: number) => {
    const segment = newSegment(base)
    segment.create()
    segments.push(segment)
    if (!options.isNew) disk.syncDirectory(directory)
  }
  recoverSwaps(disk, directory)
  const names = sweep(disk, directory)
  const bases = names
    .map((name) => offsetOfFileName(name, LOG_SUFFIX))
    .filter((base) => base !== undefined)
    .sort((a, b) => a - b)
  for (const [index, base] of bases.entries()) {
    const segment = newSegment(base)
    segment.attach(bases[index + 1] ?? base)
    segments.push(segment)
  }
  const snapshots = new ProducerSnapshots(disk, directory, names)
  const producers = new ProducerState()
  const epochs = loadEpochs(options, bases.length > 0)
  const flushed = options.recoveryPoint ?? 0
  if (segments.count === 0 && flushed > 0) throw lostLog(directory, flushed)
  const readsAll = !options.cleanShutdown || (segments.count > 0 && isReadWhole(segments))
  if (segments.count === 0) start(options.logStartOffset)
  else {
    if (readsAll) recover(options, segments, producers, snapshots, epochs)
    if (options.cleanShutdown) resume(segments.active)
  }

  if (segments.active.nextOffset < options.logStartOffset) {
    // Records were deleted up to an offset whose data never reached the disk: the log goes on from that offset.
    options.onRecovered({
      path: segments.active.path,
      position: 0,
      bytesRemoved: segments.all.reduce((total, segment) => total + segment.size, 0),
      segmentsRemoved: segments.count,
      endOffset: options.logStartOffset,
      reason: "all that is left lies below the log start offset",
    })
    while (segments.count > 0) segments.shift()!.delete()
    start(options.logStartOffset)
  }
  const endOffset = segments.active.nextOffset
  const logStartOffset = Math.max(options.logStartOffset, segments.first.baseOffset)
  epochs.truncateFromEnd(endOffset)
  epochs.truncateFromStart(logStartOffset)
  snapshots.removeAbove(endOffset)
  if (!readsAll || endOffset === logStartOffset) {
    replay(segments, producers, snapshots, endOffset, now)
  }
  snapshots.prune(segments.all.map(({ baseOffset }) => baseOffset))
  return { segments, producers, snapshots, epochs, logStartOffset }
}

const FIX =
  "restore the file; or, to give records up, delete the topic, or remove the log's directory and recovery-point-offset-checkpoint " +
  "while the broker is stopped"

const thoughFlushed = (what: string, flushed: number): string =>
  `${what}, though offsets below ${flushed} were flushed; ${FIX}`

/** What was flushed is not there any more: no crash does that. */
export const lostLog = (directory: string, flushed: number): CorruptLogError =>
  new CorruptLogError(directory, -1, thoughFlushed("its records are gone", flushed))

/** Removes what a crash left half done, and indexes without a log; answers the names that stay. */
function sweep(disk: Disk, directory: string): string[] {
  const names = disk.list(directory)
  const present = new Set(names)
  return names.filter((name) => {
    const orphan = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX].some((suffix) => {
      const base = offsetOfFileName(name, suffix)
      return base !== undefined && !present.has(offsetFileName(base, LOG_SUFFIX))
    })
    if (!orphan && !LEFTOVER_SUFFIXES.some((suffix) => name.endsWith(suffix))) return true
    disk.remove(`${directory}/${name}`)
    return false
  })
}

function loadEpochs(options: LoadOptions, hasData: boolean): LeaderEpochs {
  const path = `${options.directory}/${LEADER_EPOCH_FILE}`
  const epochs = new LeaderEpochs(options.disk, path)
  if (!hasData) epochs.clear()
  return epochs
}

/** The end of a log that was shut down cleanly. Damage there is none that a crash left. */
function resume(active: Segment): void {
  const damage = active.resumeTail(true)
  if (damage !== undefined) throw closedCleanly(active, damage)
}

const closedCleanly = ({ path }: Segment, { position, reason }: Damage): CorruptLogError =>
  new CorruptLogError(path, position, `${reason}, though the log was closed cleanly`)

function recover(
  options: LoadOptions,
  segments: SegmentList,
  producers: ProducerState,
  snapshots: ProducerSnapshots,
  epochs: LeaderEpochs,
): void {
  const recoveryPoint = options.recoveryPoint ?? 0
  const gapless = options.recoveryPoint !== undefined || !(options.wasCleaned || isCompacted(options.config))
  let index = Math.max(segments.indexFor(recoveryPoint), 0)
  replay(segments, producers, snapshots, segments.at(index)!.baseOffset, options.now)
  const scanStart = index
  for (; index < segments.count; index++) {
    const segment = segments.at(index)!
    // The one that was taken at the roll may be lost; without it the state would die with the segments before.
    if (index > scanStart) snapshots.take(producers, segment.baseOffset)
    const damage = recoverSegment(segment, producers, epochs, options)
    const next = segments.at(index + 1)
    if (damage !== undefined) {
      if (options.cleanShutdown) throw closedCleanly(segment, damage)
      if (segment.nextOffset < recoveryPoint) {
        throw new CorruptLogError(segment.path, damage.position, thoughFlushed(damage.reason, recoveryPoint))
      }
      if (!isTornTail(segment.file, segment.file.size(), damage, segment.nextOffset)) {
        throw new CorruptLogError(segment.path, damage.position, `${damage.reason}, and no crash explains it; ${FIX}`)
      }
      const bytesRemoved = segment.file.size() - damage.position
      segment.cutAt(damage.position)
      cutAfter(options, segments, index, damage.position, bytesRemoved, damage.reason)
      return
    }
    if (segment.nextOffset < recoveryPoint && (next === undefined || gapless)) {
      const lost = thoughFlushed(`it ends at offset ${segment.nextOffset}`, recoveryPoint)
      throw new CorruptLogError(segment.path, -1, lost)
    }
    if (next === undefined) return
    if (segment.nextOffset > next.baseOffset) {
      throw new CorruptLogError(next.path, -1, `the segment before it ends at offset ${segment.nextOffset}`)
    }
    if (segment.nextOffset < next.baseOffset && gapless) {
      const reason = `it ends at offset ${segment.nextOffset}, the next segment starts at ${next.baseOffset}`
      cutAfter(options, segments, index, segment.size, 0, reason)
      return
    }
    segment.nextOffset = next.baseOffset
  }
}

/** Removes the segments behind `index`, the last one first, so that a crash in between leaves no gap. */
function cutAfter(
  options: LoadOptions,
  segments: SegmentList,
  index: number,
  position: number,
  bytes: number,
  reason: string,
): void {
  const segment = segments.at(index)!
  let bytesRemoved = bytes
  let segmentsRemoved = 0
  while (segments.count > index + 1) {
    const removed = segments.pop()!
    bytesRemoved += removed.size
    segmentsRemoved++
    removed.delete()
  }
  options.onRecovered({
    path: segment.path,
    position,
    bytesRemoved,
    segmentsRemoved,
    endOffset: segment.nextOffset,
    reason,
  })
}

/** Reads a whole segment into its indexes, the producers and the epochs. */
function recoverSegment(
  segment: Segment,
  producers: ProducerState,
  epochs: LeaderEpochs,
  { now, cleanShutdown }: LoadOptions,
): Damage | undefined {
  const size = segment.file.size()
  segment.startIndexes()
  segment.size = 0
  segment.nextOffset = segment.baseOffset
  // What was closed cleanly is checked when it is first read, as ever.
  const checkCrc = !cleanShutdown
  const { damage, end } = scanBatches(segment.file, 0, size, checkCrc, (batch, position) => {
    if (batch.baseOffset < segment.nextOffset) {
      throw new CorruptRecordError(`offset ${batch.baseOffset} follows ${segment.nextOffset - 1}`)
    }
    epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset)
    const completed = producers.apply(batch, now)
    if (completed?.aborted) {
      const { producerId, firstOffset, lastOffset, lastStableOffset } = completed
      segment.transactionIndex.append(producerId, firstOffset, lastOffset, lastStableOffset)
    }
    segment.account(batch, position)
  })
  if (checkCrc) segment.trust(0, end)
  return damage
}

/** Producer state at `endOffset`: the latest snapshot, and the batches since. */
export function replay(
  segments: SegmentList,
  producers: ProducerState,
  snapshots: ProducerSnapshots,
  endOffset: number,
  now: number,
): void {
  const from = Math.max(snapshots.load(producers, endOffset, now), 0)
  for (let index = Math.max(segments.indexFor(from), 0); index < segments.count; index++) {
    const segment = segments.at(index)!
    if (segment.baseOffset >= endOffset) return
    if (from >= endOffset) return
    const start = from <= segment.baseOffset ? 0 : segment.offsetIndex.positionFor(from)
    const { damage } = scanBatches(segment.file, start, segment.size, false, (batch) => {
      const { baseOffset } = batch
      if (baseOffset >= endOffset) return false
      if (baseOffset >= from) producers.apply(batch, now)
      return true
    })
    if (damage !== undefined) throw new CorruptLogError(segment.path, damage.position, damage.reason)
  }
}

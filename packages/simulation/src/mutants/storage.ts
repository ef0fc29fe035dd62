/**
 * Faults in the log: what is durable when, and what a restart finds again.
 */
import type { Mutant } from "../mutant.ts"

const suite = "broker"
const FLUSHER = "packages/storage/src/flusher.ts"
const LOG = "packages/storage/src/log.ts"
const RECOVERY = "packages/storage/src/recovery.ts"

export const STORAGE_MUTANTS: readonly Mutant[] = [
  {
    name: "fsync-skipped",
    fault: "A flush answers without having forced the segments to the device.",
    file: FLUSHER,
    find: "await segment.syncLater()",
    replace: "",
    suite,
  },
  {
    name: "recovery-point-ahead",
    fault: "The checkpointed recovery point is the log's end, not what was flushed.",
    file: "packages/storage/src/log-directory.ts",
    find: "recoveryPoints.set(name, log.recoveryPoint)",
    replace: "recoveryPoints.set(name, log.logEndOffset)",
    suite,
  },
  {
    name: "torn-tail-kept",
    fault: "Recovery goes on behind a torn tail instead of cutting it.",
    file: RECOVERY,
    find: "segment.cutAt(damage.position)\n",
    replace: "segment.size = segment.file.size()\n",
    suite,
  },
  {
    name: "recovery-trusts-checksums",
    fault: "Recovery does not compare batches with their checksums.",
    file: RECOVERY,
    find: "const checkCrc = !cleanShutdown",
    replace: "const checkCrc = false",
    suite,
  },
  {
    name: "producers-forgotten-at-restart",
    fault: "A producer snapshot counts as loaded, but its producers are not taken over.",
    file: "packages/storage/src/producer-snapshots.ts",
    find: "state.load(producers)",
    replace: "state.load(new Map())",
    suite,
  },
  {
    name: "window-of-one",
    fault: "Only the last batch of a producer is remembered, with five in flight.",
    file: "packages/storage/src/producer-entry.ts",
    find: "export const BATCHES_RETAINED = 5",
    replace: "export const BATCHES_RETAINED = 1",
    suite,
  },
  {
    name: "duplicates-not-found",
    fault: "A repeated batch is appended again.",
    file: LOG,
    find: "if (duplicate !== undefined) {",
    replace: "if (false) {",
    suite,
  },
  {
    name: "duplicate-answers-the-end",
    fault: "A repeated batch is answered with the log's end instead of where it lies.",
    file: LOG,
    find: "duplicate.lastOffset - duplicate.offsetDelta,",
    replace: "this.logEndOffset,",
    suite,
  },
  {
    name: "index-points-behind",
    fault: "An index entry holds the position behind its batch.",
    file: "packages/storage/src/segment.ts",
    find: "this.#offsetIndex.append(lastOffset, position)",
    replace: "this.#offsetIndex.append(lastOffset, position + bytes)",
    suite,
  },
  {
    name: "names-not-synced-at-roll",
    fault: "The name of a new segment is never made durable.",
    file: LOG,
    find: "    this.#startSegment(end, now)\n    this.#names.mark()",
    replace: "    this.#startSegment(end, now)",
    suite,
  },
  {
    name: "new-log-never-named",
    fault: "The first flush of a new log does not make the name of its directory durable.",
    file: "packages/storage/src/log-names.ts",
    find: "    this.#syncName?.()\n",
    replace: "",
    suite,
  },
  {
    name: "roll-leaves-indexes-unsynced",
    fault: "A segment that was flushed before it rolled keeps indexes that no sync covers.",
    file: LOG,
    find: "if (this.recoveryPoint >= end) {",
    replace: "if (false) {",
    suite,
  },
  {
    name: "aborts-not-recovered",
    fault: "Recovery does not enter aborted transactions into the index again.",
    file: RECOVERY,
    find: "if (completed?.aborted) {",
    replace: "if (false) {",
    suite,
  },
  {
    name: "rename-before-sync",
    fault: "A small file is renamed into place before its content is durable.",
    file: "packages/host/src/disk.ts",
    find: "    file.write([content], 0)\n    file.sync()",
    replace: "    file.write([content], 0)",
    suite,
  },
]

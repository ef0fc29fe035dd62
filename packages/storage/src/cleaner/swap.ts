/**
 * Puts a cleaned segment in the place of the segments it was made from, so that a crash at any step leaves the one or
 * the other, never a mixture.
 *
 *   1. B.log.cleaned and its indexes, also .cleaned, are complete and durable; so are their names
 *   2. B.log.cleaned -> B.log.swap: from here on the cleaned segment holds, whatever happens
 *   3. the logs of the old segments are removed, and B's indexes get their names
 *   4. B.log.swap -> B.log
 *   5. the other old indexes are removed
 *
 * At a start `.cleaned` files without a `.swap` are removed; a `.swap` is carried through from step 3. Names become
 * durable before 2, before 3 and before 4. An old segment whose log is still there has all of its indexes, so one that
 * reaches beyond the end of the cleaned segment can stay: it is only not cleaned yet.
 */
import type { Disk } from "@millrace/host"
import { CorruptLogError } from "../faults.ts"
import {
  CLEANED_SUFFIX,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  offsetFileName,
  offsetOfFileName,
  SWAP_SUFFIX,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from "../layout.ts"
import { scanBatches } from "../scan.ts"

const INDEX_SUFFIXES = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX] as const

/** Steps 2 to 5. `oldBases`: base offsets of the old segments, the first of which is the cleaned one's. */
export function swapIn(disk: Disk, directory: string, oldBases: readonly number[]): void {
  const log = `${directory}/${offsetFileName(oldBases[0]!, LOG_SUFFIX)}`
  disk.syncDirectory(directory)
  disk.rename(log + CLEANED_SUFFIX, log + SWAP_SUFFIX)
  disk.syncDirectory(directory)
  finish(disk, directory, oldBases)
}

/** Removes the files of a cleaned segment that will not be used. */
export function discardCleaned(disk: Disk, directory: string, baseOffset: number): void {
  for (const suffix of [LOG_SUFFIX, ...INDEX_SUFFIXES]) {
    disk.remove(`${directory}/${offsetFileName(baseOffset, suffix)}${CLEANED_SUFFIX}`)
  }
}

/** At the start of a log: carries through what a crash interrupted, and removes what it left. */
export function recoverSwaps(disk: Disk, directory: string): void {
  const names = disk.list(directory)
  const bases = names.map((name) => offsetOfFileName(name, LOG_SUFFIX)).filter((base) => base !== undefined)
  for (const name of names) {
    const base = offsetOfFileName(name, LOG_SUFFIX + SWAP_SUFFIX)
    if (base === undefined) continue
    const end = Math.max(endOf(disk, `${directory}/${name}`, base), base + 1)
    finish(disk, directory, [base, ...bases.filter((other) => other > base && other < end)])
  }
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`
    if (name.endsWith(CLEANED_SUFFIX)) disk.remove(path)
    // Kafka names a cleaned segment's indexes after its log: they were not reached.
    else if (name.endsWith(SWAP_SUFFIX)) disk.rename(path, path.slice(0, -SWAP_SUFFIX.length))
  }
}

/** Steps 3 to 5; may be repeated after a crash within. */
function finish(disk: Disk, directory: string, oldBases: readonly number[]): void {
  const path = (base: number, suffix: string) => `${directory}/${offsetFileName(base, suffix)}`
  const [base] = oldBases as [number]
  for (const old of oldBases) disk.remove(path(old, LOG_SUFFIX))
  for (const suffix of INDEX_SUFFIXES) {
    const target = path(base, suffix)
    for (const aside of [target + CLEANED_SUFFIX, target + SWAP_SUFFIX]) {
      if (disk.exists(aside)) disk.rename(aside, target)
    }
  }
  disk.syncDirectory(directory)
  disk.rename(path(base, LOG_SUFFIX + SWAP_SUFFIX), path(base, LOG_SUFFIX))
  for (const old of oldBases) {
    if (old !== base) for (const suffix of INDEX_SUFFIXES) disk.remove(path(old, suffix))
  }
}

/** Behind the last record of a log file. */
function endOf(disk: Disk, path: string, baseOffset: number): number {
  const file = disk.open(path, { readOnly: true })
  try {
    let end = baseOffset
    const { damage } = scanBatches(file, 0, file.size(), false, (batch) => {
      end = batch.nextOffset
    })
    if (damage !== undefined) throw new CorruptLogError(path, damage.position, damage.reason)
    return end
  } finally {
    file.close()
  }
}

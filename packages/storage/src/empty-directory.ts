/**
 * A directory without meta.properties becomes the data of a new cluster only when nothing else is in it: a wrong path, the
 * wrong volume or a backup without that file would otherwise be taken for a fresh start.
 *
 * What a first start writes before meta.properties it may have left behind when it was killed. All else it writes later.
 */
import type { Disk } from "@millrace/host"
import { LogDirectoryError } from "./faults.ts"
import { LOCK_FILE, META_PROPERTIES_FILE, RECOVERY_POINT_FILE } from "./layout.ts"

const HARMLESS_NAMES: ReadonlySet<string> = new Set([
  // Of a volume that is its own file system.
  "lost+found",
  LOCK_FILE,
  RECOVERY_POINT_FILE,
  `${RECOVERY_POINT_FILE}.tmp`,
  `${META_PROPERTIES_FILE}.tmp`,
])
const NAMES_TOLD = 3

/** Needs no lock, and so leaves none behind in what is not ours. */
export function checkContents(disk: Disk, directory: string): void {
  const names = namesOfUse(disk, directory)
  // Asked last: a process that starts meanwhile writes meta.properties before the rest.
  if (names.length === 0 || disk.exists(`${directory}/${META_PROPERTIES_FILE}`)) return
  const reason = `has no ${META_PROPERTIES_FILE} but other files (${someOf(names)}): is it the right one, is its volume mounted?`
  const fix = `Choose an empty directory for a new cluster, or restore ${META_PROPERTIES_FILE} from a backup`
  throw new LogDirectoryError(directory, `${reason} ${fix}`)
}

/** What is not of a first start that was killed before it made a log: foreign files, or a cluster's. */
export function namesOfUse(disk: Disk, directory: string): string[] {
  return disk.list(directory).filter((name) => !HARMLESS_NAMES.has(name) && name !== META_PROPERTIES_FILE)
}

/** For a message. */
export function someOf(names: readonly string[]): string {
  return [...names.slice(0, NAMES_TOLD), ...(names.length > NAMES_TOLD ? ["…"] : [])].join(", ")
}

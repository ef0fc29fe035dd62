/**
 * Looks whether the data directory is still this process's alone. Somebody may have removed the lock's file, or the whole
 * directory: another broker can then have it as well, so this one ends rather than write on.
 */
import type { LogDirectory } from "@millrace/storage"
import type { Schedule } from "./schedule.ts"

export const LOCK_CHECK_MS = 1_000

export function watchLock(options: {
  readonly logDirectory: LogDirectory
  readonly schedule: Schedule
  readonly onDefect: (cause: unknown) => void
}): void {
  const { logDirectory, schedule, onDefect } = options
  schedule.start({
    name: "lock",
    delayMs: LOCK_CHECK_MS,
    intervalMs: () => LOCK_CHECK_MS,
    run: () => {
      try {
        logDirectory.checkLock()
      } catch (cause) {
        onDefect(cause)
      }
    },
  })
}

/**
 * Loaded into the broker's process ahead of it (`--import`): writes what Node knows of its memory to a file, now and then. From
 * outside nobody can tell the heap from the rest.
 */
import { renameSync, writeFileSync } from "node:fs"

const INTERVAL_MS = 1_000
const file = process.env["MILLRACE_SOAK_HEAP"]

if (file !== undefined) {
  const report = () => {
    writeFileSync(`${file}.tmp`, JSON.stringify(process.memoryUsage()))
    renameSync(`${file}.tmp`, file)
  }
  setInterval(report, INTERVAL_MS).unref()
}

/**
 * An exclusive lock on a path that a dead process cannot hold.
 *
 * The lock file names its owner: process id and, where /proc tells it, the time that process started, so that a reused
 * id is not mistaken for the owner. It is made aside and linked into place, since link(2) fails when the name exists.
 * A dead owner's file is moved away first and compared after the move: two starters that both found it dead cannot
 * both win, since one of them moves the other's fresh file, sees that, and puts it back.
 */
import * as fs from "node:fs"
import type { DiskLock } from "../disk.ts"

const ATTEMPTS_MAX = 8

export function lockFile(path: string): DiskLock {
  const mine = describe(process.pid)
  const aside = `${path}.${process.pid}.${process.hrtime.bigint()}`
  fs.writeFileSync(aside, mine)
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      try {
        fs.linkSync(aside, path)
        return { held: true, release: () => release(path, mine) }
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
      }
      const found = read(path)
      if (found === undefined) continue
      if (isAlive(found)) return { held: false, holder: `process ${found.split(" ")[0]}` }
      takeAway(path, found)
    }
  } finally {
    fs.rmSync(aside, { force: true })
  }
  return { held: false, holder: "another starting process" }
}

function takeAway(path: string, dead: string): void {
  const away = `${path}.dead.${process.pid}`
  try {
    fs.renameSync(path, away)
  } catch {
    return
  }
  if (read(away) !== dead) {
    try {
      fs.linkSync(away, path)
    } catch {
      // A third starter took the name meanwhile: it owns the lock.
    }
  }
  fs.rmSync(away, { force: true })
}

function release(path: string, mine: string): void {
  if (read(path) === mine) fs.rmSync(path, { force: true })
}

function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

function describe(pid: number): string {
  return `${pid} ${startTime(pid) ?? "-"}`
}

function isAlive(owner: string): boolean {
  const pid = Number(owner.split(" ")[0])
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return false
  }
  return describe(pid) === owner && !isZombie(pid)
}

/** Clock ticks since boot at which the process started: field 22 of /proc/PID/stat, counted after the name in parentheses. */
function startTime(pid: number): string | undefined {
  return statFields(pid)?.[19]
}

function isZombie(pid: number): boolean {
  return statFields(pid)?.[0] === "Z"
}

function statFields(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")
}

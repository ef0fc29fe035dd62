/**
 * An exclusive lock on a file, which the kernel gives to one process and takes back when that process dies.
 *
 * It is a record lock of POSIX, as Kafka takes one on `.lock`: the two exclude each other. It holds between containers on
 * one volume, where a process id of one says nothing in the other, and needs no waiting after a kill. Node has no call for
 * it, but SQLite takes one for an exclusive transaction, and to SQLite an empty file is a database.
 *
 *  - The file stays when the lock is released: if it were removed, one could lock the old file and another a new one.
 *  - The kernel drops a process's locks on a file when the process closes any descriptor of it: nothing else may open it.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import type { DatabaseSync } from "node:sqlite"
import type { DiskLock } from "../disk.ts"

const BUSY = 5
const IO_ERROR = 10
const NOT_A_DATABASE = 26

/** A connection that nothing refers to is closed by the garbage collector, and its lock with it. */
const held = new Set<DatabaseSync>()

export function lockFile(file: string): DiskLock {
  // Absolute, or SQLite takes some names for addresses. Loaded here: few processes lock anything.
  const absolute = path.resolve(file)
  const { DatabaseSync: Database } = process.getBuiltinModule("node:sqlite")
  let database: DatabaseSync | undefined
  try {
    database = new Database(absolute)
    // Without the first an empty file would appear beside it.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
  } catch (cause) {
    database?.close()
    const code = Number((cause as { readonly errcode?: number }).errcode) & 0xff
    if (code === BUSY) return { held: false, holder: holderOf(absolute) }
    throw reasonFor(absolute, code, cause)
  }
  const locked = database
  held.add(locked)
  const inode = inodeOf(absolute)
  return {
    held: true,
    isIntact: () => inodeOf(absolute) === inode,
    release() {
      if (held.delete(locked)) locked.close()
    },
  }
}

/** SQLite does not say why a file cannot be opened: the file system does. */
function reasonFor(file: string, code: number, cause: unknown): unknown {
  if (code === NOT_A_DATABASE)
    return new Error("it is not empty, so no lock: remove it if nothing uses the directory", { cause })
  if (code === IO_ERROR) return new Error("its file system takes no locks", { cause })
  try {
    fs.accessSync(`${path.dirname(file)}/.`, fs.constants.W_OK)
    if (fs.existsSync(file)) fs.accessSync(file, fs.constants.W_OK)
  } catch (denied) {
    return denied
  }
  return new Error("there can be no such file", { cause })
}

/** Device and inode of what has the name now. */
function inodeOf(file: string): string | undefined {
  const stat = fs.statSync(file, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.dev}:${stat.ino}`
}

/**
 * Linux lists the locks of those processes that this one can see:
 *
 *   1: POSIX  ADVISORY  WRITE 9996 fe:00:9978060 1073741824 1073742335
 */
function holderOf(file: string): string {
  const inode = inodeOf(file)
  for (const line of locks()) {
    const [, kind, , , pid, at = ""] = line.split(/\s+/)
    const [major, minor, number] = at.split(":")
    if (kind !== "POSIX" || number === undefined) continue
    if (inode === `${deviceOf(parseInt(major!, 16), parseInt(minor!, 16))}:${number}`) return `process ${pid}`
  }
  return "another process, perhaps in another container"
}

function locks(): string[] {
  try {
    return fs.readFileSync("/proc/locks", "utf8").split("\n")
  } catch {
    return []
  }
}

/** As stat(2) writes it. */
function deviceOf(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return ((high & 0xfffff000n) << 32n) | ((low & 0xffffff00n) << 12n) | ((high & 0xfffn) << 8n) | (low & 0xffn)
}

/**
 * The file system as a port.
 *
 * Reads and writes are synchronous: against the page cache a call costs 3 to 10 us, a trip through the thread pool 20
 * to 60 us (measured, see docs/adr/0003). Only what waits for the device, `sync`, has an asynchronous form.
 *
 * Durability rules that every implementation keeps, and that the simulated disk enforces when it loses power:
 *  - written bytes survive a killed process, not a power cut, until `sync` of that file returned;
 *  - a created, renamed or removed name survives a power cut once `syncDirectory` of its directory returned;
 *  - `rename` replaces its target atomically.
 *
 * Operational faults throw `DiskError`, which names the path. Buffers stay the caller's: no implementation keeps one.
 */
export interface Disk {
  /** Opens a file for reading, and for writing unless `readOnly`. Throws ENOENT when it is absent and not `create`d. */
  open(
    path: string,
    options?: { readonly create?: boolean; readonly readOnly?: boolean; readonly truncate?: boolean },
  ): DiskFile
  /** The whole content, or undefined when there is no such file. */
  readFile(path: string): Uint8Array | undefined
  exists(path: string): boolean
  /** Names (not paths) in a directory, sorted; empty when there is no such directory. */
  list(directory: string): string[]
  isDirectory(path: string): boolean
  /** Creates a directory and its parents; does nothing when it exists. */
  makeDirectory(path: string): void
  rename(source: string, target: string): void
  /** Removes a file, or a directory with all in it; does nothing when absent. */
  remove(path: string): void
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): void
  /** Of the device that a path is on; undefined where that is not known. */
  space(path: string): DiskSpace | undefined
  /** Takes an exclusive lock that a dead process cannot hold, by a file that stays. `holder` says who has it. */
  lock(path: string): DiskLock
}

export interface DiskSpace {
  readonly totalBytes: number
  /** What this process may still write. */
  readonly usableBytes: number
}

export interface DiskFile {
  readonly path: string
  /** Bytes read into `target[offset, offset + length)`; fewer than `length` only at the end of the file. */
  read(target: Uint8Array, offset: number, length: number, position: number): number
  /** Writes all bytes of all chunks, in order, from `position` on. */
  write(chunks: readonly Uint8Array[], position: number): void
  size(): number
  truncate(size: number): void
  /** Waits until all written bytes are on the device. Blocks the event loop: for close, roll and recovery. */
  sync(): void
  /** The same without blocking: for group fsync. */
  syncLater(): Promise<void>
  close(): void
}

export type DiskLock = HeldLock | { readonly held: false; readonly holder: string }

export interface HeldLock {
  readonly held: true
  /** False: the lock's file was removed or replaced, so that another process may hold it as well. */
  isIntact(): boolean
  release(): void
}

export type DiskErrorCode =
  | "ENOENT"
  | "EACCES"
  | "EEXIST"
  | "ENOSPC"
  | "EIO"
  | "EISDIR"
  | "EMFILE"
  | "EROFS"
  | "ENOTDIR"
  | "OTHER"

/** An operational fault of the disk. */
export class DiskError extends Error {
  override readonly name = "DiskError"
  readonly code: DiskErrorCode
  readonly path: string
  readonly operation: string
  constructor(code: DiskErrorCode, path: string, operation: string, cause?: unknown) {
    super(`cannot ${operation} ${path}: ${explain(code, cause)}`, { cause })
    this.code = code
    this.path = path
    this.operation = operation
  }
}

/** There was no room for it, and it can be tried again; not so where a sync finds none, which may have lost what it was to keep. */
export function isDiskFull(cause: unknown): cause is DiskError {
  return cause instanceof DiskError && cause.code === "ENOSPC" && !cause.operation.startsWith("sync")
}

function explain(code: DiskErrorCode, cause: unknown): string {
  switch (code) {
    case "ENOENT":
      return "no such file or directory"
    case "EACCES":
      return "permission denied"
    case "EEXIST":
      return "it exists already"
    case "ENOSPC":
      return "no space left on the device"
    case "EISDIR":
      return "it is a directory"
    case "ENOTDIR":
      return "a part of the path is not a directory"
    case "EMFILE":
      return "too many open files"
    case "EROFS":
      return "the file system is read-only"
    case "EIO":
      return "input/output error"
    default:
      return cause instanceof Error ? cause.message : "the operation failed"
  }
}

/** Replaces a small file so that a crash leaves either the old or the new content: write aside, sync, rename, sync. */
export function writeFileAtomically(disk: Disk, path: string, content: Uint8Array): void {
  const aside = `${path}.tmp`
  const file = disk.open(aside, { create: true, truncate: true })
  try {
    file.write([content], 0)
    file.sync()
  } finally {
    file.close()
  }
  disk.rename(aside, path)
  disk.syncDirectory(path.slice(0, path.lastIndexOf("/")) || "/")
}

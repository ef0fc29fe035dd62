/**
 * The disk port over node:fs. Synchronous page-cache I/O; fsync in the thread pool on request.
 */
import * as fs from "node:fs"
import { dirname } from "node:path"
import { type Disk, DiskError, type DiskErrorCode, type DiskFile } from "../disk.ts"
import { lockFile } from "./lock.ts"

const KNOWN_CODES: ReadonlySet<string> = new Set<DiskErrorCode>([
  "ENOENT",
  "EACCES",
  "EEXIST",
  "ENOSPC",
  "EIO",
  "EISDIR",
  "EMFILE",
  "EROFS",
  "ENOTDIR",
])

const SAME_AS: { readonly [code: string]: DiskErrorCode } = { EPERM: "EACCES", EDQUOT: "ENOSPC" }

function attempt<T>(operation: string, path: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw diskError(operation, path, cause)
  }
}

function diskError(operation: string, path: string, cause: unknown): DiskError {
  const raw = (cause as NodeJS.ErrnoException).code ?? ""
  const known = SAME_AS[raw] ?? raw
  const code = KNOWN_CODES.has(known) ? (known as DiskErrorCode) : "OTHER"
  return new DiskError(code, path, operation, cause)
}

class NodeFile implements DiskFile {
  readonly path: string
  readonly #fd: number
  constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }
  read(target: Uint8Array, offset: number, length: number, position: number): number {
    return attempt("read", this.path, () => {
      let done = 0
      while (done < length) {
        const count = fs.readSync(this.#fd, target, offset + done, length - done, position + done)
        if (count === 0) break
        done += count
      }
      return done
    })
  }
  write(chunks: readonly Uint8Array[], position: number): void {
    attempt("write", this.path, () => {
      if (chunks.length === 1) return writeAll(this.#fd, chunks[0]!, position)
      let total = 0
      for (const chunk of chunks) total += chunk.length
      const count = fs.writevSync(this.#fd, chunks, position)
      if (count < total) writeAll(this.#fd, Buffer.concat(chunks).subarray(count), position + count)
    })
  }
  size(): number {
    return attempt("stat", this.path, () => fs.fstatSync(this.#fd).size)
  }
  truncate(size: number): void {
    attempt("truncate", this.path, () => fs.ftruncateSync(this.#fd, size))
  }
  sync(): void {
    attempt("sync", this.path, () => fs.fdatasyncSync(this.#fd))
  }
  syncLater(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (cause) => (cause ? reject(diskError("sync", this.path, cause)) : resolve()))
    })
  }
  close(): void {
    attempt("close", this.path, () => fs.closeSync(this.#fd))
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.length) done += fs.writeSync(fd, bytes, done, bytes.length - done, position + done)
}

const isDirectory = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** Node's own recursive form tries for ever where a directory is there and takes none: below /proc, or when it was removed. */
function makeDirectories(path: string): void {
  if (isDirectory(path)) return
  const above = dirname(path)
  if (above !== path) makeDirectories(above)
  try {
    fs.mkdirSync(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === "ENOENT") throw new Error(`the directory above it takes none, or was removed`, { cause })
    // Another process may have been faster.
    if (code !== "EEXIST" || !isDirectory(path)) throw cause
  }
}

export const nodeDisk: Disk = {
  open(path, options = {}) {
    const { O_RDONLY, O_RDWR, O_CREAT, O_TRUNC } = fs.constants
    const flags = options.readOnly
      ? O_RDONLY
      : O_RDWR | (options.create ? O_CREAT : 0) | (options.truncate ? O_TRUNC : 0)
    return new NodeFile(
      path,
      attempt("open", path, () => fs.openSync(path, flags, 0o644)),
    )
  },
  readFile(path) {
    try {
      return fs.readFileSync(path)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined
      throw diskError("read", path, cause)
    }
  },
  exists: (path) => fs.existsSync(path),
  list(directory) {
    try {
      return fs.readdirSync(directory).sort()
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return []
      throw diskError("list", directory, cause)
    }
  },
  isDirectory,
  makeDirectory: (path) => attempt("create directory", path, () => makeDirectories(path)),
  rename: (source, target) => attempt(`rename to ${target} the file`, source, () => fs.renameSync(source, target)),
  remove: (path) => attempt("remove", path, () => fs.rmSync(path, { recursive: true, force: true })),
  syncDirectory(path) {
    attempt("sync directory", path, () => {
      const fd = fs.openSync(path, fs.constants.O_RDONLY)
      try {
        fs.fsyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
    })
  },
  space(path) {
    try {
      const { bsize, blocks, bavail } = fs.statfsSync(path)
      const bytes = (count: number) => Math.min(count * bsize, Number.MAX_SAFE_INTEGER)
      return { totalBytes: bytes(blocks), usableBytes: bytes(bavail) }
    } catch {
      // Not every file system says.
      return undefined
    }
  },
  lock: (path) => attempt("lock", path, () => lockFile(path)),
}

/**
 * A disk that forgets. It keeps what was written and, for what no `sync` has covered, how to undo it.
 *
 *  - `kill` of a process keeps the page cache: all completed writes stay; the write in progress may be torn.
 *  - `power` undoes, per file, a random suffix of the writes since its last sync, and per directory a random suffix of the names created, renamed or removed since its last sync.
 *
 *    Of the oldest undone write a part may stay: its first bytes, or some of its sectors under the new file size, as
 *    when the size was journaled before the data. The others read as what they were, or as zeros.
 *
 * A crash can be armed to strike inside the n-th write from now, or at the n-th change of any kind (a name, a size, a
 * sync); from that moment every operation of the dead process throws `ProcessDied`, so that nothing the unwinding code
 * does reaches the disk.
 *
 * The device may also be full, slow, or change a bit of what it holds: `freeBytes`, `slowness`, and bit-flip.ts.
 */
import { type Disk, DiskError, type DiskFile, type DiskLock } from "@millrace/host"
import type { SeededRandom } from "./random.ts"

/** Thrown into a process that is dead: what catches it can change nothing any more. */
export class ProcessDied extends Error {
  override readonly name = "ProcessDied"
}

/** A process that dies inside a callback unwinds to here; its death is not an error of the simulation. */
export function runUntilDeath(callback: () => void): void {
  try {
    callback()
  } catch (error) {
    if (!(error instanceof ProcessDied)) throw error
  }
}

export interface FileNode {
  readonly kind: "file"
  content: Uint8Array
  size: number
  /** How to undo each change since the last sync, oldest first. */
  unsynced: Undo[]
}

interface Undo {
  readonly position: number
  /** What stood at `position` before; what was beyond the old end is not in it. */
  readonly before: Uint8Array
  readonly sizeBefore: number
  /** Bytes the change wrote from `position` on; 0 for a truncation. */
  readonly length: number
}

interface DirectoryNode {
  readonly kind: "directory"
  entries: Map<string, Node>
  /** The names before each change since the last sync, oldest first. */
  unsynced: Map<string, Node>[]
}

type Node = FileNode | DirectoryNode

const SECTOR_BYTES = 512
/** How long the device takes, in virtual milliseconds, drawn uniformly. */
const SYNC_MS_MIN = 1
const SYNC_MS_MAX = 6

/** The device. It outlives the processes that use it. */
export class SimulatedDevice {
  readonly #root: DirectoryNode = { kind: "directory", entries: new Map(), unsynced: [] }
  readonly #random: SeededRandom
  #locks = new Map<string, object>()
  /** Counts syncs, so that a test can tell that a mutant skipped one. */
  syncCount = 0
  /** How much more it can hold. What a write lacks of it is not written, and the write fails. */
  freeBytes = Infinity
  /** How many times longer than usual a sync takes. */
  slowness = 1

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** The disk as one process sees it. */
  attach(
    process: { readonly alive: boolean; readonly name: string; die(): void },
    later: (delayMs: number, run: () => void) => void,
  ): SimulatedDisk {
    return new SimulatedDisk(this, process, later)
  }

  /** The process is gone; the page cache stays. */
  kill(process: object): void {
    for (const [path, owner] of this.#locks) if (owner === process) this.#locks.delete(path)
  }

  /** The machine is gone: unsynced changes are lost from a random point on, per file and per directory. */
  power(): void {
    this.#locks.clear()
    this.#forget(this.#root)
  }

  #forget(directory: DirectoryNode): void {
    const keptNames = this.#random.int(directory.unsynced.length + 1)
    if (keptNames < directory.unsynced.length) directory.entries = directory.unsynced[keptNames]!
    directory.unsynced = []
    for (const node of directory.entries.values()) {
      if (node.kind === "directory") this.#forget(node)
      else this.#forgetWrites(node)
    }
  }

  #forgetWrites(file: FileNode): void {
    const kept = this.#random.int(file.unsynced.length + 1)
    for (let index = file.unsynced.length - 1; index >= kept; index--) {
      const undo = file.unsynced[index]!
      const torn = index === kept && undo.length > 1
      if (torn && this.#random.chance(0.3)) loseSectors(file, undo, this.#random)
      else undoChange(file, undo, torn && this.#random.chance(0.5) ? 1 + this.#random.int(undo.length - 1) : 0)
    }
    file.unsynced = []
  }

  file(path: string): FileNode | undefined {
    const node = this.node(path)
    return node?.kind === "file" ? node : undefined
  }

  node(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const part of parts(path)) {
      if (node?.kind !== "directory") return undefined
      node = node.entries.get(part)
    }
    return node
  }

  directory(path: string, operation: string): DirectoryNode {
    const node = this.node(path)
    if (node?.kind !== "directory") throw new DiskError(node ? "ENOTDIR" : "ENOENT", path, operation)
    return node
  }

  /** Changes the names in a directory as one atomic step. */
  rename(directory: DirectoryNode, change: (entries: Map<string, Node>) => void): void {
    directory.unsynced.push(new Map(directory.entries))
    change(directory.entries)
  }

  lock(path: string, process: object & { readonly name: string }): DiskLock {
    const owner = this.#locks.get(path) as { readonly name: string } | undefined
    if (owner !== undefined) return { held: false, holder: owner.name }
    this.#locks.set(path, process)
    const isIntact = () => this.#locks.get(path) === process
    return { held: true, isIntact, release: () => void (isIntact() && this.#locks.delete(path)) }
  }

  get random(): SeededRandom {
    return this.#random
  }
}

export class SimulatedDisk implements Disk {
  readonly #device: SimulatedDevice
  readonly #process: { readonly alive: boolean; readonly name: string; die(): void }
  readonly #later: (delayMs: number, run: () => void) => void
  #writesUntilDeath = Infinity
  #changesUntilDeath = Infinity
  #deadlyRename: { readonly ending: string; readonly countdown: number } | undefined

  constructor(
    device: SimulatedDevice,
    process: { readonly alive: boolean; readonly name: string; die(): void },
    later: (delayMs: number, run: () => void) => void,
  ) {
    this.#device = device
    this.#process = process
    this.#later = later
  }

  /** Arms a crash inside the n-th write from now, which is torn at a random byte. */
  dieInWrite(countdown: number): void {
    this.#writesUntilDeath = countdown
  }

  /** Arms a crash at the n-th change from now: before it, or inside it when it is a write. */
  dieInChange(countdown: number): void {
    this.#changesUntilDeath = countdown
  }

  /** Arms the same for the n-th change after the next name with this ending appears. */
  dieAfterRename(ending: string, countdown: number): void {
    this.#deadlyRename = { ending, countdown }
  }

  open(
    path: string,
    options: { readonly create?: boolean; readonly readOnly?: boolean; readonly truncate?: boolean } = {},
  ): DiskFile {
    this.check()
    const existing = this.#device.node(path)
    if (existing?.kind === "directory") throw new DiskError("EISDIR", path, "open")
    let file = existing
    if (file === undefined) {
      if (!options.create || options.readOnly) throw new DiskError("ENOENT", path, "open")
      if (this.#device.freeBytes <= 0) throw new DiskError("ENOSPC", path, "open")
      this.beforeChange()
      const created: FileNode = { kind: "file", content: new Uint8Array(256), size: 0, unsynced: [] }
      this.#device.rename(this.#device.directory(parent(path), "open"), (entries) => entries.set(base(path), created))
      file = created
    } else if (options.truncate && !options.readOnly) {
      this.beforeChange()
      change(file, 0, file.size, 0)
      file.size = 0
    }
    return new SimulatedFile(this, path, file)
  }

  readFile(path: string): Uint8Array | undefined {
    this.check()
    const node = this.#device.node(path)
    if (node?.kind === "directory") throw new DiskError("EISDIR", path, "read")
    return node?.content.slice(0, node.size)
  }

  exists(path: string): boolean {
    this.check()
    return this.#device.node(path) !== undefined
  }

  list(directory: string): string[] {
    this.check()
    const node = this.#device.node(directory)
    if (node === undefined) return []
    if (node.kind === "file") throw new DiskError("ENOTDIR", directory, "list")
    return [...node.entries.keys()].sort()
  }

  isDirectory(path: string): boolean {
    this.check()
    return this.#device.node(path)?.kind === "directory"
  }

  /** There is as much as anybody needs. */
  space(): undefined {
    this.check()
  }

  makeDirectory(path: string): void {
    this.check()
    let at = ""
    for (const part of parts(path)) {
      const above = this.#device.directory(at || "/", "create directory")
      if (!above.entries.has(part)) {
        this.beforeChange()
        this.#device.rename(above, (entries) =>
          entries.set(part, { kind: "directory", entries: new Map(), unsynced: [] }),
        )
      }
      at += `/${part}`
    }
  }

  rename(source: string, target: string): void {
    this.check()
    const node = this.#device.node(source)
    if (node === undefined) throw new DiskError("ENOENT", source, `rename to ${target} the file`)
    const from = this.#device.directory(parent(source), "rename")
    const to = this.#device.directory(parent(target), "rename")
    this.beforeChange()
    if (from === to) {
      this.#device.rename(from, (entries) => {
        entries.delete(base(source))
        entries.set(base(target), node)
      })
    } else {
      this.#device.rename(to, (entries) => entries.set(base(target), node))
      this.#device.rename(from, (entries) => entries.delete(base(source)))
    }
    if (this.#deadlyRename === undefined || !target.endsWith(this.#deadlyRename.ending)) return
    this.#changesUntilDeath = this.#deadlyRename.countdown
    this.#deadlyRename = undefined
  }

  remove(path: string): void {
    this.check()
    const above = this.#device.node(parent(path))
    if (above?.kind === "directory" && above.entries.has(base(path))) {
      this.beforeChange()
      this.#device.rename(above, (entries) => entries.delete(base(path)))
    }
  }

  syncDirectory(path: string): void {
    this.check()
    this.beforeChange()
    this.#device.directory(path, "sync directory").unsynced = []
    this.#device.syncCount++
  }

  lock(path: string): DiskLock {
    this.check()
    return this.#device.lock(path, this.#process)
  }

  check(): void {
    if (!this.#process.alive) throw new ProcessDied(`${this.#process.name} is dead`)
  }

  /**
   * How many bytes of a write that makes a file `growth` bytes longer reach the page cache: all of them, unless death
   * strikes in it or the device is full.
   */
  admit(length: number, growth: number): { readonly bytes: number; readonly dies: boolean } {
    this.check()
    const device = this.#device
    const lack = Math.min(length, Math.max(0, growth - device.freeBytes))
    device.freeBytes -= Math.max(0, growth - lack)
    const bytes = length - lack
    const [writes, changes] = [--this.#writesUntilDeath, --this.#changesUntilDeath]
    if (writes > 0 && changes > 0) return { bytes, dies: false }
    this.#writesUntilDeath = this.#changesUntilDeath = Infinity
    return { bytes: device.random.int(bytes + 1), dies: true }
  }

  beforeChange(): void {
    if (--this.#changesUntilDeath > 0) return
    this.#changesUntilDeath = Infinity
    this.die()
  }

  die(): never {
    this.#process.die()
    throw new ProcessDied(`${this.#process.name} died in a write`)
  }

  synced(): void {
    this.#device.syncCount++
  }

  afterSync(run: () => void): void {
    this.#later(this.#device.random.between(SYNC_MS_MIN, SYNC_MS_MAX) * this.#device.slowness, run)
  }
}

class SimulatedFile implements DiskFile {
  readonly path: string
  readonly #disk: SimulatedDisk
  readonly #file: FileNode

  constructor(disk: SimulatedDisk, path: string, file: FileNode) {
    this.#disk = disk
    this.path = path
    this.#file = file
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    this.#disk.check()
    const end = Math.min(this.#file.size, position + length)
    if (end <= position) return 0
    target.set(this.#file.content.subarray(position, end), offset)
    return end - position
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const file = this.#file
    const { bytes, dies } = this.#disk.admit(total, Math.max(0, position + total - file.size))
    change(file, position, bytes, bytes)
    let at = position
    let left = bytes
    for (const chunk of chunks) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk
      file.content.set(part, at)
      at += part.length
      left -= part.length
    }
    file.size = Math.max(file.size, position + bytes)
    if (dies) this.#disk.die()
    if (bytes < total) throw new DiskError("ENOSPC", this.path, "write")
  }

  size(): number {
    this.#disk.check()
    return this.#file.size
  }

  truncate(size: number): void {
    this.#disk.check()
    this.#disk.beforeChange()
    const file = this.#file
    if (size >= file.size) {
      change(file, file.size, size - file.size, size - file.size)
      file.content.fill(0, file.size, size)
    } else {
      change(file, size, file.size - size, 0)
    }
    file.size = size
  }

  sync(): void {
    this.#disk.check()
    this.#disk.beforeChange()
    this.#file.unsynced = []
    this.#disk.synced()
  }

  syncLater(): Promise<void> {
    this.#disk.check()
    const covered = this.#file.unsynced.length
    const last = this.#file.unsynced.at(-1)
    return new Promise((resolve) => {
      this.#disk.afterSync(() => {
        const at = last === undefined ? -1 : this.#file.unsynced.indexOf(last)
        if (covered > 0 && at >= 0) this.#file.unsynced.splice(0, at + 1)
        this.#disk.synced()
        resolve()
      })
    })
  }

  close(): void {
    this.#disk.check()
  }
}

/** Records how to undo a change of `touched` bytes at `position`, and makes room for `written` bytes there. */
function change(file: FileNode, position: number, touched: number, written: number): void {
  const before = file.content.slice(position, Math.min(file.size, position + touched))
  file.unsynced.push({ position, before, sizeBefore: file.size, length: written })
  const end = position + written
  if (end > file.content.length) {
    const grown = new Uint8Array(Math.max(end, file.content.length * 2))
    grown.set(file.content.subarray(0, file.size))
    file.content = grown
  }
  if (position > file.size && written > 0) file.content.fill(0, file.size, position)
}

/** Undoes a change; the first `partial` bytes of what it wrote stay. */
function undoChange(file: FileNode, undo: Undo, partial: number): void {
  const kept = partial > 0 ? file.content.slice(undo.position, undo.position + partial) : undefined
  file.size = undo.sizeBefore
  if (file.content.length < undo.sizeBefore) {
    const grown = new Uint8Array(undo.sizeBefore)
    grown.set(file.content)
    file.content = grown
  }
  file.content.set(undo.before, undo.position)
  if (kept !== undefined) {
    if (undo.position > file.size) file.content.fill(0, file.size, undo.position)
    file.content.set(kept, undo.position)
    file.size = Math.max(file.size, undo.position + kept.length)
  }
}

/** Loses some of the sectors that a write touched, at least one; the file keeps the size that it had after it. */
function loseSectors(file: FileNode, undo: Undo, random: SeededRandom): void {
  const end = undo.position + undo.length
  const first = Math.floor(undo.position / SECTOR_BYTES)
  const sectors = Math.floor((end - 1) / SECTOR_BYTES) - first + 1
  const sure = random.int(sectors)
  const before = new Uint8Array(undo.length)
  before.set(undo.before.subarray(0, undo.length))
  for (let sector = 0; sector < sectors; sector++) {
    if (sector !== sure && random.chance(0.5)) continue
    const from = Math.max((first + sector) * SECTOR_BYTES, undo.position)
    const to = Math.min((first + sector + 1) * SECTOR_BYTES, end)
    file.content.set(before.subarray(from - undo.position, to - undo.position), from)
  }
}

function parts(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".")
}

function parent(path: string): string {
  return `/${parts(path).slice(0, -1).join("/")}`
}

function base(path: string): string {
  return parts(path).at(-1) ?? ""
}

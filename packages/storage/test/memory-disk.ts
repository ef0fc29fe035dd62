/**
 * A disk in memory that can lose its power: what was not synced is lost byte by byte as the given choices say, file by
 * file and name by name. Enough for this package's tests; whole-system faults are the simulation's.
 */
import { type Disk, DiskError, type DiskFile, type DiskLock } from "@millrace/host"

const SECTOR_BYTES = 512

interface Inode {
  current: Buffer
  durable: Buffer
  /** Numbers the syncs by their start; the greatest that is done. */
  syncs: number
  synced: number
}

type NameOperation =
  | { readonly kind: "link"; readonly path: string; readonly inode: Inode }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "rename"; readonly source: string; readonly target: string }

/** Uniform in [0, bound). */
export type Choose = (bound: number) => number

export class MemoryDisk implements Disk {
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()
  #pending: NameOperation[] = []
  readonly #directories = new Set<string>(["/"])
  readonly #locks = new Set<string>()
  /** Set to make the next writes fail. */
  full = false
  openFiles = 0
  mostOpenFiles = 0
  syncs = 0
  directorySyncs = 0

  open(path: string, options: { create?: boolean; readOnly?: boolean; truncate?: boolean } = {}): DiskFile {
    let inode = this.#names.get(path)
    if (inode === undefined) {
      const hasDirectory = this.#directories.has(path.slice(0, path.lastIndexOf("/")))
      if (!options.create || !hasDirectory) throw new DiskError("ENOENT", path, "open")
      inode = { current: Buffer.alloc(0), durable: Buffer.alloc(0), syncs: 0, synced: 0 }
      this.#names.set(path, inode)
      this.#pending.push({ kind: "link", path, inode })
    }
    if (options.truncate) inode.current = Buffer.alloc(0)
    this.mostOpenFiles = Math.max(this.mostOpenFiles, ++this.openFiles)
    return new MemoryFile(this, path, inode)
  }

  readFile(path: string): Uint8Array | undefined {
    const inode = this.#names.get(path)
    return inode === undefined ? undefined : Buffer.from(inode.current)
  }

  exists(path: string): boolean {
    return this.#names.has(path) || this.#directories.has(path)
  }

  list(directory: string): string[] {
    const found = new Set<string>()
    for (const path of [...this.#names.keys(), ...this.#directories]) {
      if (!path.startsWith(`${directory}/`)) continue
      found.add(path.slice(directory.length + 1).split("/")[0]!)
    }
    return [...found].sort()
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path)
  }

  space(): undefined {}

  makeDirectory(path: string): void {
    this.#directories.add(path)
  }

  rename(source: string, target: string): void {
    if (this.#directories.has(source)) {
      for (const path of [...this.#names.keys()]) {
        if (path.startsWith(`${source}/`)) this.#rename(path, target + path.slice(source.length))
      }
      this.#directories.delete(source)
      this.#directories.add(target)
      return
    }
    this.#rename(source, target)
  }

  #rename(source: string, target: string): void {
    const inode = this.#names.get(source)
    if (inode === undefined) throw new DiskError("ENOENT", source, "rename")
    this.#names.delete(source)
    this.#names.set(target, inode)
    this.#pending.push({ kind: "rename", source, target })
  }

  remove(path: string): void {
    this.#locks.delete(path)
    for (const name of [...this.#names.keys()]) {
      if (name !== path && !name.startsWith(`${path}/`)) continue
      this.#names.delete(name)
      this.#pending.push({ kind: "unlink", path: name })
    }
    for (const name of [...this.#directories]) {
      if (name === path || name.startsWith(`${path}/`)) this.#directories.delete(name)
    }
  }

  syncDirectory(path: string): void {
    this.directorySyncs++
    const isHere = (name: string) => name.slice(0, name.lastIndexOf("/")) === path
    this.#pending = this.#pending.filter((operation) => {
      const here = isHere(operation.kind === "rename" ? operation.target : operation.path)
      if (here) apply(this.#durableNames, operation)
      return !here
    })
  }

  lock(path: string): DiskLock {
    if (this.#locks.has(path)) return { held: false, holder: "process 1" }
    this.#locks.add(path)
    return { held: true, isIntact: () => this.#locks.has(path), release: () => void this.#locks.delete(path) }
  }

  /** The process dies: locks go, everything written stays. */
  kill(): void {
    this.#locks.clear()
  }

  /** The power fails: of what was not synced, `choose` decides what survives. */
  powerCut(choose: Choose): void {
    this.kill()
    for (const operation of this.#pending) if (choose(2) === 0) apply(this.#durableNames, operation)
    this.#pending = []
    this.#names = new Map(this.#durableNames)
    for (const inode of new Set(this.#names.values())) {
      inode.current = survivors(inode, choose)
      inode.durable = Buffer.from(inode.current)
    }
  }

  corrupt(path: string, position: number): void {
    const inode = this.#names.get(path)!
    inode.current[position]! ^= 0x20
    inode.durable[position]! ^= 0x20
  }
}

function apply(names: Map<string, Inode>, operation: NameOperation): void {
  if (operation.kind === "link") names.set(operation.path, operation.inode)
  else if (operation.kind === "unlink") names.delete(operation.path)
  else {
    const inode = names.get(operation.source)
    if (inode === undefined) return
    names.delete(operation.source)
    names.set(operation.target, inode)
  }
}

/** The durable bytes, and of the written ones behind them none, all, some, or all but lost sectors. */
function survivors(inode: Inode, choose: Choose): Buffer {
  const { current, durable } = inode
  let same = 0
  while (same < Math.min(current.length, durable.length) && current[same] === durable[same]) same++
  if (same === current.length && same === durable.length) return Buffer.from(durable)
  switch (choose(4)) {
    case 0:
      return Buffer.from(durable)
    case 1:
      return Buffer.from(current)
    case 2:
      return Buffer.from(current.subarray(0, same + choose(current.length - same + 1)))
    default: {
      const left = Buffer.from(current)
      for (let at = same; at < left.length; at = (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES) {
        if (choose(2) === 0) left.fill(0, at, Math.min(left.length, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES))
      }
      return left
    }
  }
}

class MemoryFile implements DiskFile {
  readonly path: string
  readonly #disk: MemoryDisk
  readonly #inode: Inode
  #closed = false

  constructor(disk: MemoryDisk, path: string, inode: Inode) {
    this.#disk = disk
    this.path = path
    this.#inode = inode
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    this.#assertOpen()
    const part = this.#inode.current.subarray(position, position + length)
    target.set(part, offset)
    return part.length
  }

  write(chunks: readonly Uint8Array[], position: number): void {
    this.#assertOpen()
    const added = Buffer.concat(chunks)
    const end = this.#disk.full ? position + Math.floor(added.length / 2) : position + added.length
    const next = Buffer.alloc(Math.max(end, this.#inode.current.length))
    this.#inode.current.copy(next)
    added.copy(next, position, 0, end - position)
    this.#inode.current = next
    if (this.#disk.full) throw new DiskError("ENOSPC", this.path, "write")
  }

  size(): number {
    return this.#inode.current.length
  }

  truncate(size: number): void {
    this.#inode.current = Buffer.from(this.#inode.current.subarray(0, size))
  }

  sync(): void {
    this.#assertOpen()
    this.#disk.syncs++
    this.#inode.synced = ++this.#inode.syncs
    this.#inode.durable = Buffer.from(this.#inode.current)
  }

  async syncLater(): Promise<void> {
    this.#assertOpen()
    this.#disk.syncs++
    // What is written after this call is not covered, as with a real device.
    const content = Buffer.from(this.#inode.current)
    const turn = ++this.#inode.syncs
    await Promise.resolve()
    // A sync that started later and is done already covers more.
    if (turn > this.#inode.synced) this.#inode.durable = content
    this.#inode.synced = Math.max(turn, this.#inode.synced)
  }

  close(): void {
    this.#assertOpen()
    this.#closed = true
    this.#disk.openFiles--
  }

  #assertOpen(): void {
    if (this.#closed) throw new DiskError("OTHER", this.path, "use the closed file")
  }
}

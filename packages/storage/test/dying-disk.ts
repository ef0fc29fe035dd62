/** A disk whose process dies right before its n-th change: the change does not happen, nor does anything after it. */
import type { Disk, DiskFile, DiskLock } from "@millrace/host"

export class Died extends Error {}

export class DyingDisk implements Disk {
  readonly #disk: Disk
  #changesLeft = Infinity
  changes = 0

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** Survives that many more changes. */
  dieAfter(changes: number): void {
    this.#changesLeft = changes
  }

  change<T>(run: () => T): T {
    if (this.#changesLeft-- <= 0) {
      this.#changesLeft = 0
      throw new Died("the process is dead")
    }
    this.changes++
    return run()
  }

  open(path: string, options: { create?: boolean; readOnly?: boolean; truncate?: boolean } = {}): DiskFile {
    const isChange = (options.create && !this.#disk.exists(path)) || options.truncate
    const file = isChange ? this.change(() => this.#disk.open(path, options)) : this.#disk.open(path, options)
    return {
      path,
      read: (target, offset, length, position) => file.read(target, offset, length, position),
      write: (chunks, position) => this.change(() => file.write(chunks, position)),
      size: () => file.size(),
      truncate: (size) => this.change(() => file.truncate(size)),
      sync: () => this.change(() => file.sync()),
      syncLater: () => this.change(() => file.syncLater()),
      close: () => file.close(),
    }
  }

  readFile(path: string): Uint8Array | undefined {
    return this.#disk.readFile(path)
  }
  exists(path: string): boolean {
    return this.#disk.exists(path)
  }
  list(directory: string): string[] {
    return this.#disk.list(directory)
  }
  isDirectory(path: string): boolean {
    return this.#disk.isDirectory(path)
  }
  makeDirectory(path: string): void {
    this.change(() => this.#disk.makeDirectory(path))
  }
  rename(source: string, target: string): void {
    this.change(() => this.#disk.rename(source, target))
  }
  remove(path: string): void {
    if (this.#disk.exists(path)) this.change(() => this.#disk.remove(path))
  }
  syncDirectory(path: string): void {
    this.change(() => this.#disk.syncDirectory(path))
  }
  space(path: string) {
    return this.#disk.space(path)
  }
  lock(path: string): DiskLock {
    return this.#disk.lock(path)
  }
}

/**
 * Snapshots in a directory, such as one on a network file system. Waiting for the device is left to the thread pool.
 */
import type { Disk } from "@millrace/host"
import type { SnapshotStore } from "./snapshot-store.ts"

/** Ends the name of a file that was being written when its process died. */
const ASIDE = ".tmp"

export class DirectorySnapshots implements SnapshotStore {
  readonly #disk: Disk
  readonly #root: string

  constructor(disk: Disk, root: string) {
    this.#disk = disk
    this.#root = root
  }

  async put(name: string, content: Uint8Array): Promise<void> {
    const path = `${this.#root}/${name}`
    const directory = path.slice(0, path.lastIndexOf("/"))
    this.#disk.makeDirectory(directory)
    const file = this.#disk.open(path + ASIDE, { create: true, truncate: true })
    try {
      file.write([content], 0)
      await file.syncLater()
    } finally {
      file.close()
    }
    this.#disk.rename(path + ASIDE, path)
    this.#disk.syncDirectory(directory)
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return this.#disk.readFile(`${this.#root}/${name}`)
  }

  async list(prefix: string): Promise<string[]> {
    const found: string[] = []
    const walk = (directory: string) => {
      for (const entry of this.#disk.list(`${this.#root}/${directory}`)) {
        const name = `${directory}${entry}`
        if (this.#disk.isDirectory(`${this.#root}/${name}`)) walk(`${name}/`)
        else if (name.startsWith(prefix)) found.push(name)
      }
    }
    walk(prefix.slice(0, prefix.lastIndexOf("/") + 1))
    return found
  }

  /** With its directory, once that is empty. */
  async delete(name: string): Promise<void> {
    this.#disk.remove(`${this.#root}/${name}`)
    const directory = `${this.#root}/${name.slice(0, name.lastIndexOf("/") + 1)}`
    if (this.#disk.list(directory).length === 0) this.#disk.remove(directory)
  }
}

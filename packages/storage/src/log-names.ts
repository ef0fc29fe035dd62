/**
 * Whether the names of a log are durable: its directory's in the data directory, its files' in its own, and the file with
 * its topic id.
 *
 * Those of a new log are made durable by its first flush or roll, not when it is made: ten thousand first records would each
 * wait for the device several times over. A power cut before takes the log with all that was in it, which was not flushed
 * either. What a roll adds must not outlive the first segment, so that comes first.
 */
import type { Disk } from "@millrace/host"
import { syncTopicId, topicIdFile } from "./properties.ts"

export class LogNames {
  readonly #disk: Disk
  readonly #directory: string
  /** Makes the name of the directory durable; undefined once it is known to be. */
  #syncName: (() => void) | undefined
  #dirty: boolean
  #isTopicIdSynced = false

  constructor(disk: Disk, directory: string, syncName: (() => void) | undefined) {
    this.#disk = disk
    this.#directory = directory
    this.#syncName = syncName
    this.#dirty = syncName !== undefined
  }

  get dirty(): boolean {
    return this.#dirty
  }

  /** A file was made or renamed in the log's directory. */
  mark(): void {
    this.#dirty = true
  }

  /** Makes the topic id of a new log durable without blocking; `sync` does the rest. */
  async syncTopicIdLater(): Promise<void> {
    if (this.#syncName === undefined || this.#isTopicIdSynced) return
    const file = topicIdFile(this.#disk, this.#directory)
    try {
      await file?.syncLater()
    } finally {
      file?.close()
    }
    this.#isTopicIdSynced = true
  }

  sync(): void {
    if (!this.#dirty) return
    if (this.#syncName !== undefined && !this.#isTopicIdSynced) syncTopicId(this.#disk, this.#directory)
    this.#disk.syncDirectory(this.#directory)
    this.#syncName?.()
    this.#syncName = undefined
    this.#dirty = false
  }

  /** Before a second segment is made. */
  syncIfNew(): void {
    if (this.#syncName !== undefined) this.sync()
  }
}

/**
 * The active controller of a quorum of one.
 *
 *   command ──decide──> records ──append, flush──> log ──replay──> image ──> listeners (this broker)
 *
 * A command reads the image and answers with records and a response; the image changes only by replaying what the log
 * holds. Commands run one after the other, so each sees all that was decided before it. A failed append halts the
 * controller: what is on the disk is no longer known. Only where there was no room nothing is there, and commands are refused.
 */
import { isDiskFull } from "@millrace/host"
import type { MetadataImage } from "./image.ts"
import { type MetadataLog, MetadataLogFull } from "./metadata-log.ts"
import type { MetadataRecord } from "./records.ts"
import { unwritten } from "./unwritten.ts"

/** Told of records once they are part of the image. */
export type MetadataListener = (records: readonly MetadataRecord[], image: MetadataImage) => void

export class Controller {
  readonly image: MetadataImage
  readonly #log: MetadataLog
  readonly #listeners: MetadataListener[] = []

  constructor(image: MetadataImage, log: MetadataLog) {
    this.image = image
    this.#log = log
  }

  onRecords(listener: MetadataListener): void {
    this.#listeners.push(listener)
  }

  /** The offset that the next record will get. */
  get nextOffset(): number {
    return this.#log.endOffset
  }

  get epoch(): number {
    return this.#log.epoch
  }

  /** Carries out a decision; its response is good once this returns. */
  commit<T>(decision: { readonly records: readonly MetadataRecord[]; readonly response: T }): T {
    try {
      this.write(decision.records)
      return decision.response
    } catch (cause) {
      if (!(cause instanceof MetadataLogFull)) throw cause
      return unwritten(decision.response, cause)
    }
  }

  /** Throws `MetadataLogFull`, and has done nothing, where there was no room. */
  write(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return
    let offset = this.#log.append(records)
    for (const record of records) this.image.replay(record, offset++)
    this.image.epoch = this.#log.epoch
    for (const listener of this.#listeners) listener(records, this.image)
    if (this.#log.wantsSnapshot) this.#snapshot()
  }

  /** Without room it is left to a later one: the log has all of it. */
  #snapshot(): void {
    try {
      this.#log.snapshot(this.image)
    } catch (cause) {
      if (!isDiskFull(cause)) throw cause
    }
  }

  /** Puts changes since the last snapshot into a new one; does nothing when there are none. */
  snapshotIfChanged(): void {
    if (this.#log.hasChangesSinceSnapshot) this.#log.snapshot(this.image)
  }
}

/**
 * Operational faults of stored data: each names the file, what is wrong with it and what can be done.
 * The broker maps them to KAFKA_STORAGE_ERROR in one place; at start they end the process with their one line.
 */

/** Stored bytes that are not what was written, where losing them silently would lose acknowledged records. */
export class CorruptLogError extends Error {
  override readonly name = "CorruptLogError"
  readonly path: string
  /** Byte in the file where the damage starts, or -1 when the file as a whole is unusable. */
  readonly position: number
  constructor(path: string, position: number, reason: string, options?: ErrorOptions) {
    super(`${path} is corrupt${position < 0 ? "" : ` at byte ${position}`}: ${reason}`, options)
    this.path = path
    this.position = position
  }
}

/** A data directory that cannot be used as it is: locked, another cluster's, written by a newer version. */
export class LogDirectoryError extends Error {
  override readonly name = "LogDirectoryError"
  readonly path: string
  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`data directory ${path} ${reason}`, options)
    this.path = path
  }
}

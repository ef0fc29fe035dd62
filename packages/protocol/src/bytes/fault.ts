/**
 * What a reader or writer throws when bytes or values break the rules of the wire. It knows where, not what for:
 * the codec above adds message, version and field and throws a `ProtocolError` in its place.
 */
export class WireFault extends Error {
  override readonly name = "WireFault"
  readonly reason: string
  readonly offset: number

  constructor(reason: string, offset: number) {
    super(`${reason} at byte ${offset}`)
    this.reason = reason
    this.offset = offset
  }
}

/**
 * Bytes or a value that do not fit Kafka's message table. The peer (or the caller) is at fault, never the process:
 * a server answers by closing the connection.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError"
  /** Kafka's name of the message, as `FetchRequest`. */
  readonly messageName: string
  readonly version: number
  /** Path of the field, as `topics[2].partitions[0].fetchOffset`; empty when the message as a whole is at fault. */
  readonly field: string
  /** Byte offset where it went wrong; -1 while encoding. */
  readonly offset: number
  readonly reason: string

  constructor(messageName: string, version: number, field: string, offset: number, reason: string) {
    const at = offset < 0 ? "" : ` at byte ${offset}`
    super(`${messageName} v${version}${field === "" ? "" : `, field ${field}`}${at}: ${reason}`)
    this.messageName = messageName
    this.version = version
    this.field = field
    this.offset = offset
    this.reason = reason
  }
}

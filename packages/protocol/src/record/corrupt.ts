/** Bytes that are not what the record format says. Names what is wrong; the caller adds the file or the request. */
export class CorruptRecordError extends Error {
  override readonly name = "CorruptRecordError"
}

/** Decompressing would exceed the limit that the caller set: a bomb, or a batch that is too big for this process. */
export class DecompressedTooLargeError extends Error {
  override readonly name = "DecompressedTooLargeError"
  constructor(codec: string, limit: number) {
    super(`a ${codec} batch decompresses to more than ${limit} bytes`)
  }
}

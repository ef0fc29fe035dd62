/**
 * The codecs alone: every message of the table, answers and records of logs among them, as a client or a starting broker
 * would read them. What does not decode must say so with a `ProtocolError`, of a batch with one of its own errors.
 */
import { decode, encode, FrameError, FrameSplitter, type Message, ProtocolError } from "@millrace/protocol"
import { apis } from "@millrace/protocol/messages/index"
import { batches } from "@millrace/protocol/record/batch"
import { CorruptRecordError, DecompressedTooLargeError } from "@millrace/protocol/record/corrupt"
import { RecordReader } from "@millrace/protocol/record/record"
import { dataMessages, groupRecords, metadataRecords, transactionRecords } from "@millrace/protocol/records/index"
import { versionRange } from "@millrace/protocol/schema/version-range"
import { SeededRandom } from "@millrace/simulation/random"
import { damage } from "./damage.ts"
import { recordBatch } from "./record-batches.ts"
import { Values } from "./values.ts"
import type { Words } from "./words.ts"

const MESSAGES: readonly Message[] = [
  ...[...apis.values()].flatMap(({ request, response }) => [request, response]),
  ...[groupRecords, transactionRecords].flatMap((records) =>
    [...records.values()].flatMap(({ key, value }) => [key, value]),
  ),
  ...metadataRecords.values(),
  ...dataMessages,
]
const DECOMPRESSED_BYTES_MAX = 8 << 20
const FRAME_BYTES_MAX = 1 << 20

export interface CodecCase {
  readonly what: string
  readonly bytes: Uint8Array
  /** Throws what nobody should throw. */
  run(): void
}

export function codecCase(index: number, seed: number, words: Words, now: number): CodecCase {
  const random = new SeededRandom(`${seed}/codec/${index}`)
  const choice = random.float()
  if (choice < 0.75) return messageCase(random, words, now)
  if (choice < 0.9) {
    const bytes = recordBatch(random, words, now)
    return { what: "record batch", bytes, run: () => readBatches(bytes) }
  }
  return splitterCase(random)
}

function messageCase(random: SeededRandom, words: Words, now: number): CodecCase {
  const message = random.pick(MESSAGES)
  const { min, max } = versionRange(message.versions)
  const version = random.between(min, max)
  let bytes = encode(message, version, new Values(random, words, now).of(message, version))
  for (let left = random.int(4); left > 0; left--) bytes = damage(random, bytes, 0)
  return { what: `${message.name} v${version}`, bytes, run: () => decodeOrRefuse(message, version, bytes) }
}

function decodeOrRefuse(message: Message, version: number, bytes: Uint8Array): void {
  try {
    decode(message, version, bytes)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
  }
}

/** As consumers read what they fetched: every record with its key, its value and its headers. */
export function readBatches(bytes: Uint8Array): void {
  try {
    for (const batch of batches(bytes)) {
      batch.isValidCrc()
      const reader = new RecordReader(batch, { decompressedBytesMax: DECOMPRESSED_BYTES_MAX })
      while (reader.next()) {
        reader.key()
        reader.value()
        reader.headers()
      }
    }
  } catch (cause) {
    if (!(cause instanceof CorruptRecordError) && !(cause instanceof DecompressedTooLargeError)) throw cause
  }
}

/** However a stream is cut, the same frames come out, and nothing is kept that has not come. */
function splitterCase(random: SeededRandom): CodecCase {
  const frames = Array.from({ length: random.int(5) }, () => random.bytes(random.int(60)))
  const stream = Buffer.concat(
    frames.flatMap((frame) => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(frame.length)
      return [length, frame]
    }),
  )
  const bytes = random.chance(0.5) ? damage(random, stream, 0) : stream
  const cuts = Array.from({ length: random.int(6) }, () => random.int(bytes.length + 1)).sort((a, b) => a - b)
  return { what: `a stream cut at ${cuts.join(", ")}`, bytes, run: () => compareSplits(bytes, cuts) }
}

function compareSplits(bytes: Uint8Array, cuts: readonly number[]): void {
  const whole = split([bytes])
  const parts = split([...cuts, bytes.length].map((end, index) => bytes.slice(index === 0 ? 0 : cuts[index - 1], end)))
  if (whole !== parts) throw new Error(`frames of a whole stream are ${whole}, of one that was cut ${parts}`)
}

function split(chunks: readonly Uint8Array[]): string {
  const splitter = new FrameSplitter(FRAME_BYTES_MAX)
  const frames: string[] = []
  try {
    for (const chunk of chunks) {
      for (const frame of splitter.push(chunk)) frames.push(Buffer.from(frame).toString("hex"))
      if (splitter.bufferedBytes > chunks.reduce((sum, { length }) => sum + length, 0))
        throw new Error("it holds too much")
    }
  } catch (cause) {
    if (!(cause instanceof FrameError)) throw cause
    // What came with the bad length is lost with it, and where that is cut differs.
    return "refused"
  }
  return frames.join(" ")
}

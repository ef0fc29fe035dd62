/**
 * Record batches as a hostile producer writes them: whole ones, with a good checksum over damaged content, with lengths and
 * counts that are not so, and compressed ones that are cut, of another codec than they say, or bombs.
 */
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  BATCH_LENGTH_AT,
  LAST_OFFSET_DELTA_AT,
  RECORD_COUNT_AT,
  RecordBatchView,
} from "@millrace/protocol/record/batch"
import { RecordBatchBuilder } from "@millrace/protocol/record/builder"
import { type Compression, COMPRESSIONS, compress, compressionId } from "@millrace/protocol/record/compression"
import { putInt32 } from "@millrace/protocol/record/integers"
import type { SeededRandom } from "@millrace/simulation/random"
import { damage, EDGES } from "./damage.ts"
import type { Words } from "./words.ts"

const CRC_END = 21
/** What bombs become: above what the broker of the fuzz takes, and below. */
const BOMB_BYTES = [96 << 20, 4 << 20] as const

/** Compressed zeros, made when first asked for. */
const bombs = new Map<string, Uint8Array>()

function bomb(codec: Compression, size: number): Uint8Array {
  const name = `${codec} ${size}`
  let made = bombs.get(name)
  if (made === undefined) bombs.set(name, (made = compress(codec, new Uint8Array(size))))
  return made
}

export function recordBatch(random: SeededRandom, words: Words, now: number): Uint8Array {
  if (random.chance(0.03)) return random.bytes(random.int(200))
  const good = wholeBatch(random, words, now)
  const choice = random.float()
  if (choice < 0.35) return good
  if (choice < 0.55) return checked(damage(random, good, CRC_END))
  if (choice < 0.65) return checked(withField(random, good))
  if (choice < 0.75) return damage(random, good, 0)
  if (choice < 0.9) return checked(withContent(good, hostileContent(random, good)))
  // More than one batch, and a tail that is none.
  const second = wholeBatch(random, words, now)
  return Buffer.concat([good, random.chance(0.5) ? second : second.subarray(0, random.int(second.length))])
}

function wholeBatch(random: SeededRandom, words: Words, now: number): Uint8Array {
  const transactional = random.chance(0.25)
  const idempotent = transactional || random.chance(0.3)
  const builder = new RecordBatchBuilder({
    compression: random.pick(COMPRESSIONS),
    transactional,
    control: random.chance(0.02),
    ...(idempotent && {
      producerId: words.told<number>(random, "producerId") ?? random.int(4),
      producerEpoch: words.told<number>(random, "producerEpoch") ?? 0,
      baseSequence: random.pick([0, 0, 1, 2, 0x7fff_ffff]),
    }),
  })
  for (let left = random.between(1, 4); left > 0; left--) {
    const key = random.chance(0.3) ? null : random.bytes(random.int(6))
    const value = random.chance(0.2) ? null : random.bytes(random.int(40))
    const headers = random.chance(0.2) ? [{ key: "h", value: random.bytes(3) }] : []
    builder.append(random.chance(0.05) ? random.pick(TIMES) : now, key, value, headers)
  }
  return builder.build()
}

const TIMES: readonly number[] = [0, -1, 1, Number.MAX_SAFE_INTEGER - 1]

/** Another number in one field of the header: the length, the last offset, the count, the codec. */
function withField(random: SeededRandom, batch: Uint8Array): Uint8Array {
  const copy = Buffer.from(batch)
  const at = random.pick([BATCH_LENGTH_AT, LAST_OFFSET_DELTA_AT, RECORD_COUNT_AT, ATTRIBUTES_AT])
  if (at === ATTRIBUTES_AT) copy[at + 1] = random.int(256)
  else putInt32(copy, at, random.pick(EDGES) | 0)
  return copy
}

/** The content of a batch in this codec: cut, of another one, a bomb, or noise. */
function hostileContent(random: SeededRandom, batch: Uint8Array): { codec: Compression; content: Uint8Array } {
  const codec = random.pick(COMPRESSIONS)
  const records = Buffer.from(batch.subarray(BATCH_HEADER_BYTES))
  const choice = random.float()
  if (choice < 0.02) return { codec, content: bomb(random.pick(COMPRESSIONS.slice(1)), BOMB_BYTES[0]) }
  if (choice < 0.08 && codec !== "none") return { codec, content: bomb(codec, random.pick(BOMB_BYTES)) }
  const compressed = compress(codec, records)
  if (choice < 0.35) return { codec, content: compressed.subarray(0, random.int(compressed.length + 1)) }
  if (choice < 0.7) return { codec, content: damage(random, compressed, 0) }
  if (choice < 0.9) return { codec, content: compress(random.pick(COMPRESSIONS), records) }
  return { codec, content: random.bytes(random.int(120)) }
}

function withContent(batch: Uint8Array, { codec, content }: { codec: Compression; content: Uint8Array }): Uint8Array {
  const bytes = Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), content])
  putInt32(bytes, BATCH_LENGTH_AT, bytes.length - BATCH_LENGTH_AT - 4)
  bytes[ATTRIBUTES_AT + 1] = (bytes[ATTRIBUTES_AT + 1]! & ~7) | compressionId(codec)
  return bytes
}

/** With the checksum of what it holds now, so that whoever reads it gets past that. */
function checked(batch: Uint8Array): Uint8Array {
  if (batch.length < BATCH_HEADER_BYTES) return batch
  const view = new RecordBatchView(batch)
  if (view.sizeInBytes >= BATCH_HEADER_BYTES && view.sizeInBytes <= batch.length) view.updateCrc()
  return batch
}

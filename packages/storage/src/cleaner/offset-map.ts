/**
 * The last offset of each key in the uncleaned part of a log.
 *
 * A hash table with open addressing in two flat arrays, 24 bytes a slot: 16 for the key's digest, 8 for the offset. It
 * starts small and grows up to what `log.cleaner.dedupe.buffer.size` allows; who fills it looks at `isFull` and leaves
 * the rest of the log to a later round. It never refuses an entry: a batch with more keys than the buffer has slots
 * would keep its log from ever being cleaned.
 */
import { hashKey } from "./key-hash.ts"

/** Bytes of memory for each slot. */
export const SLOT_BYTES = 24
const SLOTS_MIN = 256
const WORDS = 4
const EMPTY = -1

export class OffsetMap {
  size = 0
  /** All records up to here were taken in. -1: none. */
  latestOffset = -1
  readonly #slotsMax: number
  readonly #loadFactor: number
  readonly #seed: number
  readonly #hash = new Int32Array(WORDS)
  #slots: number
  #digests: Int32Array
  #offsets: Float64Array

  constructor(bytesMax: number, loadFactor: number, seed: number) {
    this.#slotsMax = Math.max(Math.floor(bytesMax / SLOT_BYTES), SLOTS_MIN)
    this.#loadFactor = loadFactor
    this.#seed = seed
    this.#slots = SLOTS_MIN
    this.#digests = new Int32Array(this.#slots * WORDS)
    this.#offsets = new Float64Array(this.#slots).fill(EMPTY)
  }

  /** Reads as: no more keys than this. */
  get isFull(): boolean {
    return this.size >= Math.floor(this.#slotsMax * this.#loadFactor)
  }

  /** Bytes that the arrays take now. */
  get memoryBytes(): number {
    return this.#slots * SLOT_BYTES
  }

  /** The key is `bytes[start, start + length)`. */
  put(bytes: Uint8Array, start: number, length: number, offset: number): void {
    hashKey(bytes, start, length, this.#seed, this.#hash)
    const slot = this.#find()
    if (this.#offsets[slot] === EMPTY) {
      this.#digests.set(this.#hash, slot * WORDS)
      this.size++
    }
    this.#offsets[slot] = offset
    if (this.size > this.#slots * this.#loadFactor) this.#grow()
  }

  /** -1 when the key is not in the map. */
  get(bytes: Uint8Array, start: number, length: number): number {
    hashKey(bytes, start, length, this.#seed, this.#hash)
    return this.#offsets[this.#find()]!
  }

  /** The slot that holds the digest in `#hash`, or the free one where it belongs. */
  #find(): number {
    const [digests, offsets, slots] = [this.#digests, this.#offsets, this.#slots]
    const [a, b, c, d] = [this.#hash[0]!, this.#hash[1]!, this.#hash[2]!, this.#hash[3]!]
    let slot = (a >>> 0) % slots
    while (offsets[slot] !== EMPTY) {
      const at = slot * WORDS
      if (digests[at] === a && digests[at + 1] === b && digests[at + 2] === c && digests[at + 3] === d) return slot
      if (++slot === slots) slot = 0
    }
    return slot
  }

  #grow(): void {
    const [digests, offsets] = [this.#digests, this.#offsets]
    this.#slots = this.#slots < this.#slotsMax ? Math.min(this.#slots * 2, this.#slotsMax) : this.#slots * 2
    this.#digests = new Int32Array(this.#slots * WORDS)
    this.#offsets = new Float64Array(this.#slots).fill(EMPTY)
    for (let slot = 0; slot < offsets.length; slot++) {
      if (offsets[slot] === EMPTY) continue
      for (let word = 0; word < WORDS; word++) this.#hash[word] = digests[slot * WORDS + word]!
      const target = this.#find()
      this.#digests.set(this.#hash, target * WORDS)
      this.#offsets[target] = offsets[slot]!
    }
  }
}

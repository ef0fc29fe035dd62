/**
 * Which keys were never added: a Bloom filter that grows. A key that it lacks was not added; of a hundred that were not it
 * lacks all but a few.
 *
 * A layer that has as many keys as it is made for is followed by one four times as large, so that a million keys are in four.
 * After the last there is no more room: what is added then is not known, and the filter of no use any more.
 */
const KEYS_EXPECTED = 16_384
const KEYS_MIN = 64
const GROWTH = 4
const KEYS_MAX = 4_194_304
/** At least: the number of bits is a power of two. */
const BITS_PER_KEY = 8
const PROBES = 6
const FIRST_FACTOR = 0x01000193
const SECOND_FACTOR = 0x5bd1e995

export interface KeyHash {
  readonly first: number
  /** Odd. */
  readonly second: number
}

export class KeyFilter {
  /** The latest first. */
  readonly #layers: Layer[]
  /** Of the latest. */
  #capacity: number
  /** Keys that were added. */
  size = 0

  /** `keys`: as many are expected. */
  constructor(keys: number = KEYS_EXPECTED) {
    this.#capacity = Math.min(KEYS_MAX, 2 ** Math.ceil(Math.log2(Math.max(KEYS_MIN, keys))))
    this.#layers = [new Layer(this.#capacity)]
  }

  /** Nothing more may be added. */
  get isFull(): boolean {
    return this.#capacity === KEYS_MAX && this.#layers[0]!.room === 0
  }

  /** A key that it has, or seems to have, takes no room. */
  add(key: KeyHash): void {
    if (!this.lacks(key)) return
    if (this.#layers[0]!.room === 0) {
      this.#capacity = Math.min(KEYS_MAX, this.#capacity * GROWTH)
      this.#layers.unshift(new Layer(this.#capacity))
    }
    this.#layers[0]!.add(key)
    this.size++
  }

  lacks(key: KeyHash): boolean {
    for (const layer of this.#layers) if (layer.has(key)) return false
    return true
  }
}

class Layer {
  room: number
  readonly #bits: Uint32Array
  readonly #mask: number

  constructor(keys: number) {
    this.room = keys
    this.#bits = new Uint32Array((keys * BITS_PER_KEY) / 32)
    this.#mask = keys * BITS_PER_KEY - 1
  }

  add({ first, second }: KeyHash): void {
    this.room--
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (first + Math.imul(probe, second)) & this.#mask
      this.#bits[bit >>> 5]! |= 1 << (bit & 31)
    }
  }

  has({ first, second }: KeyHash): boolean {
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = (first + Math.imul(probe, second)) & this.#mask
      if ((this.#bits[bit >>> 5]! & (1 << (bit & 31))) === 0) return false
    }
    return true
  }
}

/** Of a string of bytes (byte-order.ts): FNV-1a by two factors. */
export function keyHash(key: string): KeyHash {
  let first = FIRST_FACTOR ^ key.length
  let second = SECOND_FACTOR ^ key.length
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at)
    first = Math.imul(first ^ code, FIRST_FACTOR)
    second = Math.imul(second ^ code, SECOND_FACTOR)
  }
  return { first: mixed(first), second: mixed(second) | 1 }
}

/** The low bits alone know too little of the last characters. */
function mixed(hash: number): number {
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}

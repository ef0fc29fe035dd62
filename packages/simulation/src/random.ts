/**
 * A seeded generator (sfc32): the only source of choice in a simulation. `fork` gives an independent stream, so that
 * one component drawing more numbers does not shift what another one draws.
 */
import type { Random } from "@millrace/host"

export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number | string) {
    const [a, b, c] = hash(String(seed))
    this.#a = a
    this.#b = b
    this.#c = c
    for (let round = 0; round < 12; round++) this.#next()
  }

  /** An independent stream that depends on this seed's state and the name. */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${name}/${this.#next()}/${this.#next()}`)
  }

  float(): number {
    return this.#next() / 2 ** 32
  }

  int(bound: number): number {
    return Math.floor(this.float() * bound)
  }

  bytes(length: number): Uint8Array {
    const target = new Uint8Array(length)
    for (let index = 0; index < length; index++) target[index] = this.#next() & 0xff
    return target
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.float() < probability
  }

  /** Uniform integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.int(high - low + 1)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(choices.length)]!
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }
}

/** Three 32-bit words from a text (FNV-1a with three offsets). */
function hash(text: string): [number, number, number] {
  const words: [number, number, number] = [0x811c9dc5, 0x01000193, 0x9e3779b9]
  for (let word = 0; word < 3; word++) {
    let value = words[word]! | 0
    for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
    words[word] = value >>> 0
  }
  return words
}

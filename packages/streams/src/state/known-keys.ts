/**
 * Which keys an engine on disk has not, so that it need not look: a key that is new costs no look-up that finds nothing.
 *
 * What is written is added to a filter (key-filter.ts). What was there before, such as what an earlier process left, is
 * learned bit by bit with each batch, in the order of keys; only when all is, the filter answers. It is begun where somebody reads.
 * Deleted keys stay in it: when it is full it is begun anew, and given up where that is not enough either. Whoever writes past
 * it calls `forget`.
 */
import { KeyFilter, keyHash } from "./key-filter.ts"

export class KnownKeys {
  readonly #keysFrom: (key: string) => Iterable<string>
  #filter: KeyFilter | undefined
  /** Keys below it are in the filter; undefined when all are. */
  #learnedTo: string | undefined = ""
  #isAsked = false
  #isGivenUp = false

  /** `keysFrom` reads the engine's keys in order, beginning with the one given. */
  constructor(keysFrom: (key: string) => Iterable<string>) {
    this.#keysFrom = keysFrom
  }

  /** It is not there. False where that is not known. */
  lacks(key: string): boolean {
    if (this.#learnedTo === undefined) return this.#filter!.lacks(keyHash(key))
    this.#isAsked = true
    return false
  }

  /** It is about to be there. */
  add(key: string): void {
    if (this.#filter === undefined) return
    if (!this.#filter.isFull) return this.#filter.add(keyHash(key))
    this.#isGivenUp = this.#learnedTo !== undefined
    this.forget()
  }

  /** Reads some more of what was there before. Call it before the keys of a batch are added. */
  learn(keysMax: number): void {
    if (!this.#isAsked || this.#isGivenUp || this.#learnedTo === undefined) return
    this.#filter ??= new KeyFilter()
    let count = 0
    for (const key of this.#keysFrom(this.#learnedTo)) {
      this.add(key)
      if (this.#filter === undefined) return
      this.#learnedTo = `${key}\0`
      if (++count === keysMax) return
    }
    this.#learnedTo = undefined
  }

  forget(): void {
    this.#filter = undefined
    this.#learnedTo = ""
  }
}

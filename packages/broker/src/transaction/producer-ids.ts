/**
 * Producer ids at hand: the rest of the current block, and the next block, fetched before this one runs out.
 *
 * An id is given once. What is left of a block when the broker stops is never used.
 */
import type { ProducerIdBlocks } from "./coordinator.ts"
import type { ProducerIdSource } from "./shard-state.ts"

/** Below this many ids the next block is fetched. */
const lowWaterIds = 100

interface Block {
  next: number
  readonly end: number
}

export class ProducerIds implements ProducerIdSource {
  readonly #blocks: ProducerIdBlocks
  #current: Block = { next: 0, end: 0 }
  #following: Block | undefined
  #fetching: Promise<void> | undefined

  constructor(blocks: ProducerIdBlocks) {
    this.#blocks = blocks
  }

  take(): number | undefined {
    if (this.#current.next === this.#current.end && this.#following !== undefined) {
      this.#current = this.#following
      this.#following = undefined
    }
    const id = this.#current.next < this.#current.end ? this.#current.next++ : undefined
    if (this.#left() < lowWaterIds && this.#following === undefined) void this.#fetch()
    return id
  }

  /** Resolves when an id is at hand, or when none could be got: then `take` has none and the client tries again. */
  async ready(): Promise<void> {
    if (this.#left() === 0) await this.#fetch()
  }

  #left(): number {
    const following = this.#following
    return this.#current.end - this.#current.next + (following === undefined ? 0 : following.end - following.next)
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#blocks
      .allocate()
      .then(
        ({ firstProducerId, size }) => {
          this.#following = { next: firstProducerId, end: firstProducerId + size }
        },
        // The controller says why in its own log; who needed an id is told to try again, and that asks anew.
        () => {},
      )
      .finally(() => {
        this.#fetching = undefined
      })
    return this.#fetching
  }
}

/**
 * A bit of a stored batch that changes by itself, where the batch's checksum covers it: the product must notice and must
 * not hand out what it reads there. `restore` is somebody who puts a good copy of the file back.
 */
import { batches } from "@millrace/protocol/record/batch"
import { CorruptRecordError } from "@millrace/protocol/record/corrupt"
import type { FileNode } from "./disk.ts"
import type { SeededRandom } from "./random.ts"

/** Where a batch's checksum starts; what lies before it is covered by none. */
const CRC_AT = 17

export class BitFlip {
  readonly #file: FileNode
  readonly #position: number
  /** The batch as it is since. */
  readonly #damaged: Uint8Array
  readonly #at: number
  readonly #mask: number

  private constructor(file: FileNode, position: number, bytes: number, at: number, bit: number) {
    this.#file = file
    this.#position = position
    this.#at = at
    this.#mask = 1 << bit
    file.content[position + at]! ^= this.#mask
    this.#damaged = file.content.slice(position, position + bytes)
  }

  /** In one of the file's batches; undefined when it has none. */
  static strike(file: FileNode, random: SeededRandom): BitFlip | undefined {
    const found: { readonly position: number; readonly bytes: number }[] = []
    try {
      let position = 0
      for (const { sizeInBytes: bytes } of batches(file.content.subarray(0, file.size))) {
        found.push({ position, bytes })
        position += bytes
      }
    } catch (error) {
      // A torn tail: the batches before it are whole.
      if (!(error instanceof CorruptRecordError)) throw error
    }
    if (found.length === 0) return undefined
    const { position, bytes } = random.pick(found)
    return new BitFlip(file, position, bytes, random.between(CRC_AT, bytes - 1), random.int(8))
  }

  /** Puts the bit back, unless something else stands there by now. */
  restore(): void {
    const { content, size } = this.#file
    if (size < this.#position + this.#damaged.length) return
    const isThere = this.#damaged.every((byte, index) => content[this.#position + index] === byte)
    if (isThere) content[this.#position + this.#at]! ^= this.#mask
  }
}

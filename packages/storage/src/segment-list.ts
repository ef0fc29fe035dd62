/** The segments of a log in offset order; the last one is active. Never empty once the log is open. */
import { invariant } from "@millrace/host"
import type { Segment } from "./segment.ts"

/** As much as a start reads about as fast as it opens the files beside it. */
const READ_WHOLE_BYTES = 256 * 1024

/**
 * A log that is one small segment, from offset 0 on, is read whole at every start, after a clean stop too: nothing but its
 * batches has to be on the device, neither indexes nor producers nor epochs. Most of ten thousand logs are like that.
 */
export const isReadWhole = ({ count, first }: SegmentList): boolean =>
  count === 1 && first.baseOffset === 0 && first.size <= READ_WHOLE_BYTES

export class SegmentList {
  readonly #segments: Segment[] = []

  get all(): readonly Segment[] {
    return this.#segments
  }

  get count(): number {
    return this.#segments.length
  }

  get first(): Segment {
    invariant(this.#segments.length > 0, "a log has no segment")
    return this.#segments[0]!
  }

  get active(): Segment {
    invariant(this.#segments.length > 0, "a log has no segment")
    return this.#segments[this.#segments.length - 1]!
  }

  at(index: number): Segment | undefined {
    return this.#segments[index]
  }

  /** Index of the segment that holds `offset`: the last that starts at or before it; -1 when all start behind it. */
  indexFor(offset: number): number {
    let low = 0
    let high = this.#segments.length - 1
    // Reads and appends are mostly at the end.
    if (high >= 0 && this.#segments[high]!.baseOffset <= offset) return high
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (this.#segments[middle]!.baseOffset <= offset) low = middle + 1
      else high = middle - 1
    }
    return high
  }

  push(segment: Segment): void {
    const last = this.#segments.at(-1)
    invariant(last === undefined || last.baseOffset < segment.baseOffset, "segments do not ascend")
    if (last !== undefined) last.active = false
    segment.active = true
    this.#segments.push(segment)
  }

  /** Puts one segment in the place of `count` from `index` on, none of them active. */
  replace(index: number, count: number, segment: Segment): void {
    invariant(index >= 0 && index + count < this.#segments.length, "the active segment is replaced")
    this.#segments.splice(index, count, segment)
  }

  shift(): Segment | undefined {
    return this.#segments.shift()
  }

  pop(): Segment | undefined {
    const segment = this.#segments.pop()
    const last = this.#segments.at(-1)
    if (last !== undefined) last.active = true
    return segment
  }
}

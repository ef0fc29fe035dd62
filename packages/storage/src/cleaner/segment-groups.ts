/**
 * Which neighbouring segments are cleaned into one, so that segments do not shrink to nothing over many rounds.
 *
 * A group's bytes, the bytes of its indexes, and its range of offsets stay within what one segment may have, reckoned
 * before cleaning: the result can only be smaller.
 */
import type { LogConfig } from "../log-config.ts"

export interface SegmentSize {
  readonly baseOffset: number
  /** Where the next segment starts. */
  readonly nextOffset: number
  readonly size: number
  readonly offsetIndexBytes: number
  readonly timeIndexBytes: number
}

/** Offsets in a segment's indexes are relative to its base, in 31 bits. */
const RELATIVE_OFFSET_MAX = 0x7fff_ffff

export function groupSegments<S>(
  segments: readonly S[],
  sizeOf: (segment: S) => SegmentSize,
  { segmentBytes, segmentIndexBytes }: Pick<LogConfig, "segmentBytes" | "segmentIndexBytes">,
): S[][] {
  const groups: S[][] = []
  let baseOffset = 0
  let bytes = 0
  let offsetIndexBytes = 0
  let timeIndexBytes = 0
  for (const segment of segments) {
    const facts = sizeOf(segment)
    bytes += facts.size
    offsetIndexBytes += facts.offsetIndexBytes
    timeIndexBytes += facts.timeIndexBytes
    // An empty segment has no offset that an index could not hold.
    const fitsOffsets = facts.size === 0 || facts.nextOffset - 1 - baseOffset <= RELATIVE_OFFSET_MAX
    const fits =
      bytes <= segmentBytes &&
      offsetIndexBytes <= segmentIndexBytes &&
      timeIndexBytes <= segmentIndexBytes &&
      fitsOffsets
    if (groups.length > 0 && fits) groups.at(-1)!.push(segment)
    else {
      groups.push([segment])
      ;({ baseOffset, size: bytes, offsetIndexBytes, timeIndexBytes } = facts)
    }
  }
  return groups
}

/**
 * How much of its input a store has seen, and how much an asker wants it to have seen (KIP-796).
 *
 *     { topic: { partition: offset of the last record seen } }
 *
 * The topics are those that the store's own sub-topology reads. Read your own write: bound the query by the offset that
 * the producer was given. Partitions that the bound does not name are not bound.
 */
import { PipelineError } from "../errors.ts"

export type Position = { readonly [topic: string]: { readonly [partition: number]: number } }

/** `next` is the first offset not seen. */
export function positionOf(
  inputs: ReadonlyArray<{ readonly topic: string; readonly partition: number; readonly next: number }>,
): Position {
  const position: Record<string, Record<number, number>> = {}
  for (const { topic, partition, next } of inputs) if (next > 0) (position[topic] ??= {})[partition] = next - 1
  return position
}

/**
 * Whether a store partition at `position` has seen what the bound asks of that partition; of a global table, which is all
 * partitions in one, what it asks of any.
 */
export function isUpTo(position: Position, bound: Position, partition: number | undefined): boolean {
  return Object.entries(bound).every(([topic, offsets]) => {
    const bounded = partition === undefined ? Object.keys(offsets).map(Number) : [partition]
    return bounded.every((one) => offsets[one] === undefined || (position[topic]?.[one] ?? -1) >= offsets[one])
  })
}

/** The furthest of both. */
export function mergePositions(left: Position, right: Position): Position {
  const merged: Record<string, Record<number, number>> = {}
  for (const position of [left, right]) {
    for (const [topic, offsets] of Object.entries(position)) {
      const into = (merged[topic] ??= {})
      for (const [partition, offset] of Object.entries(offsets)) {
        into[Number(partition)] = Math.max(into[Number(partition)] ?? -1, offset)
      }
    }
  }
  return merged
}

/** A position as text, as a URL or a header carries it. */
export function parsePosition(text: string): Position {
  const isOffset = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
  const isObject = (value: unknown): value is object =>
    typeof value === "object" && value !== null && !Array.isArray(value)
  try {
    const parsed: unknown = JSON.parse(text)
    const isPosition =
      isObject(parsed) &&
      Object.values(parsed).every((offsets) => isObject(offsets) && Object.values(offsets).every(isOffset))
    if (isPosition) return parsed as Position
  } catch {
    // Said below.
  }
  throw new PipelineError(`${text} is no position: write {"topic":{"0":17}}, the last offset seen of each partition`)
}

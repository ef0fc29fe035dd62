/**
 * The input of the wide pipeline: what its records are, and how they are drawn.
 *
 * Event time moves on by `STEP_MS` a record. A record is behind by up to `BEHIND_MS_MAX`; some are late, by up to
 * `LATE_MS_MAX`, and say so. A partition must have one writer: then what is late is known from its order alone.
 */

export interface WideEvent {
  /** A number; they ascend within a partition. */
  readonly id: string
  readonly key: string
  /** Event time. */
  readonly at: number
  readonly word: string
  /** The filter takes it out. */
  readonly isNoise: boolean
  /** It cannot be processed on its way to the join: a dead letter. */
  readonly isPoison: boolean
  /** Further behind than `BEHIND_MS_MAX`. */
  readonly isLate: boolean
}

/** Joined with the events of its key that are close in time. */
export interface Click {
  readonly id: string
  readonly key: string
  readonly at: number
}

export const WINDOW_MS = 1_000
export const GRACE_MS = 600
export const JOIN_WITHIN_MS = 400
/** Beyond the time by which any partition is ahead of another: every pair is found, in whatever order its halves come. */
export const JOIN_GRACE_MS = 24 * 3_600_000
/** About as far apart as the events of a key: sessions begin, grow together and end all the time. */
export const SESSION_GAP_MS = 150
export const SESSION_GRACE_MS = 500
export const STEP_MS = 20
export const BEHIND_MS_MAX = 700
export const LATE_MS_MAX = 6_000
/** Windows of the processor with timers close when no record that is not late can come any more. */
export const CLOSE_AFTER_MS = BEHIND_MS_MAX
const LATE_CHANCE = 0.05
const NOISE_CHANCE = 0.15
const POISON_CHANCE = 0.02
const WORDS = ["ant", "bee", "cat", "dog", "elk", "fox", "gnu"] as const

export interface Draw {
  int(below: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
}

/** One partition: its records name it, so that a result tells where it came from. */
export interface Source {
  readonly partition: number
  readonly partitions: number
  readonly keys: readonly string[]
  readonly startMs: number
}

export const partitionOf = (id: string, partitions: number): number => Number(id) % partitions
const idOf = ({ partition, partitions }: Source, number: number): string => String(number * partitions + partition)

/** The n-th event of a partition. */
export function drawEvent(draw: Draw, source: Source, number: number): WideEvent {
  const isLate = draw.chance(LATE_CHANCE)
  const behindMs = isLate ? BEHIND_MS_MAX + 1 + draw.int(LATE_MS_MAX - BEHIND_MS_MAX) : draw.int(BEHIND_MS_MAX + 1)
  return {
    id: idOf(source, number),
    key: draw.pick(source.keys),
    at: source.startMs + Math.max(0, number * STEP_MS - behindMs),
    word: draw.pick(WORDS),
    isNoise: draw.chance(NOISE_CHANCE),
    isPoison: draw.chance(POISON_CHANCE),
    isLate: isLate && number * STEP_MS > BEHIND_MS_MAX,
  }
}

export function drawClick(draw: Draw, source: Source, number: number): Click {
  const at = source.startMs + Math.max(0, number * STEP_MS - draw.int(BEHIND_MS_MAX + 1))
  return { id: `c${number}`, key: draw.pick(source.keys), at }
}

/** So far after the last record that every window, session and timer is past. */
export const lastEvent = (source: Source, number: number): WideEvent => ({
  id: idOf(source, number),
  key: source.keys[0]!,
  at: source.startMs + number * STEP_MS + 10 * LATE_MS_MAX,
  word: "end",
  isNoise: false,
  isPoison: false,
  isLate: false,
})

export const windowName = (word: string, start: number): string => `${word}@${start}`

/**
 * What the result must be, counted from the input file directly, and how far a result is from it.
 */
import { readFileSync } from "node:fs"

const HOUR_MS = 3_600_000

/** Flights per "airport hour". */
export type Counts = ReadonlyMap<string, number>

/** Counts the flights of the input file; its dates read "2001/01/01 00:47" and are taken as UTC. */
export function expectedCounts(file: string): { readonly records: number; readonly counts: Counts } {
  const flights = JSON.parse(readFileSync(file, "utf8")) as { date: string; origin: string }[]
  const counts = new Map<string, number>()
  for (const { date, origin } of flights) {
    const [day, time] = date.split(" ") as [string, string]
    const at = Date.parse(`${day.replaceAll("/", "-")}T${time}:00Z`)
    const key = `${origin} ${at - (at % HOUR_MS)}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return { records: flights.length, counts }
}

export interface Difference {
  /** Sum of max(0, expected - got) over all airports and hours. */
  readonly lost: number
  /** Sum of max(0, got - expected). */
  readonly duplicated: number
  readonly counted: number
}

export function compare(expected: Counts, got: Counts): Difference {
  let lost = 0
  let duplicated = 0
  let counted = 0
  for (const [key, count] of expected) lost += Math.max(0, count - (got.get(key) ?? 0))
  for (const [key, count] of got) {
    counted += count
    duplicated += Math.max(0, count - (expected.get(key) ?? 0))
  }
  return { lost, duplicated, counted }
}

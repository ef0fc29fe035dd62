/**
 * Whether a process that ran for long holds more than it did before: pure functions of the samples.
 */
import type { Descriptors, Sample } from "./samples.ts"

/** RSS at the end by that at the base. */
export const RSS_GROWTH_MAX = 1.1

/** With all clients gone, at one point of the run. */
export interface Rest {
  readonly descriptors: Descriptors
  /** Segments of all logs. */
  readonly segments: number
}

/** The median of the samples in the seconds before a point: single ones go up and down with the collector. */
export function rssBefore(samples: readonly Sample[], atSeconds: number, windowSeconds: number): number {
  const window = samples.filter(({ seconds }) => seconds > atSeconds - windowSeconds && seconds <= atSeconds)
  const sorted = window.map(({ rssMb }) => rssMb).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

export interface Held {
  readonly baseRssMb: number
  readonly endRssMb: number
  readonly base: Rest
  readonly end: Rest
}

export function findings({ baseRssMb, endRssMb, base, end }: Held): string[] {
  const found: string[] = []
  // Written so that a figure which is missing is a finding.
  if (!(endRssMb <= RSS_GROWTH_MAX * baseRssMb)) {
    found.push(
      `resident memory grew from ${mb(baseRssMb)} to ${mb(endRssMb)}, to ${(endRssMb / baseRssMb).toFixed(2)}x`,
    )
  }
  for (const [when, { descriptors, segments }] of Object.entries({ base, end })) {
    if (descriptors.deleted > 0) found.push(`${descriptors.deleted} deleted files are open (${when})`)
    if (descriptors.data > segments + DATA_FILES_BESIDE) {
      found.push(`${descriptors.data} data files are open where there are ${segments} segments (${when})`)
    }
  }
  for (const kind of ["sockets", "others"] as const) {
    const [before, after] = [base.descriptors[kind], end.descriptors[kind]]
    if (before !== after) found.push(`${kind}: ${before} descriptors at rest before, ${after} at the end`)
  }
  return found
}

/** The lock of the data directory. */
const DATA_FILES_BESIDE = 1

const mb = (value: number): string => `${value.toFixed(1)} MB`

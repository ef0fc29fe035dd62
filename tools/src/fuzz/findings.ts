/** What a fuzz found, and how it is told: what came about, and the frame that brought it, to be sent again alone. */
import { writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

export interface Finding {
  readonly what: string
  readonly frame?: Uint8Array | undefined
}

/** What frames came to. */
export interface Tally {
  answered: number
  closed: number
  /** Those that waited for what they had asked to wait for. */
  waited: number
  /** Those that get no answer, or have not come to their end. */
  silent: number
  slowestMs: number
  slowest: string
}

export const newTally = (): Tally => ({ answered: 0, closed: 0, waited: 0, silent: 0, slowestMs: 0, slowest: "none" })

/** Frames printed as they are; longer ones go to a file. */
const HEX_BYTES_MAX = 2_000

export function describeFinding({ what, frame }: Finding, seed: number): string {
  if (frame === undefined) return `${what}\n  seed ${seed}`
  const hex = Buffer.from(frame).toString("hex")
  if (frame.length <= HEX_BYTES_MAX) return `${what}\n  seed ${seed}, frame ${hex}`
  const file = path.join(tmpdir(), `millrace-fuzz-${seed}-${frame.length}.hex`)
  writeFileSync(file, hex)
  return `${what}\n  seed ${seed}, a frame of ${frame.length} bytes: ${file}`
}

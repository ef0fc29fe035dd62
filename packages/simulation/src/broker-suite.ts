/**
 * Suite "broker": the real broker and the real client under crashes, power cuts and a bad network.
 *
 * A seed decides what kind of world it is: crashes of processes only (the page cache survives; the log flushes when it
 * likes), power cuts with fsync before every answer (nothing acknowledged may be lost), or power cuts without (what is
 * left must be a clean prefix).
 */
import { CrashRun } from "./crash-run.ts"
import { lazyRun } from "./lazy-run.ts"
import { SeededRandom } from "./random.ts"
import type { Suite } from "./suite.ts"

const KINDS = ["kill", "kill", "power-fsync", "power-fsync", "power-lazy"] as const

export const suite: Suite = (seed, options) => {
  const kind = new SeededRandom(`kind ${seed}`).pick(KINDS)
  return kind === "power-lazy"
    ? lazyRun(seed, options)
    : new CrashRun(seed, kind, { protocols: ["classic"] }, options).run()
}

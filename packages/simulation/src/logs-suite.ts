/**
 * Suite "logs": what becomes of logs that are compacted, shortened, made and deleted, and of transactions in them, when the
 * broker's process, its disk and its network fail.
 */
import { LogsRun } from "./logs-run.ts"
import { SeededRandom } from "./random.ts"
import type { Suite } from "./suite.ts"

const KINDS = ["kill", "power-fsync"] as const

export const suite: Suite = (seed, options) =>
  new LogsRun(seed, new SeededRandom(`kind ${seed}`).pick(KINDS), options).run()

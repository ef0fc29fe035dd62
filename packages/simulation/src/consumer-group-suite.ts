/**
 * Suite "consumer-group": the runs of the broker suite with groups whose broker assigns (KIP-848), alone or beside members
 * of the classic protocol in the same group, which the coordinator then takes from one protocol to the other and back.
 * The logs that coordinators begin from are compacted as often as can be.
 */
import { CrashRun } from "./crash-run.ts"
import { SeededRandom } from "./random.ts"
import type { Suite } from "./suite.ts"
import { PROTOCOLS } from "./workload/consumer-member.ts"

const KINDS = ["kill", "power-fsync"] as const
const SETTINGS = {
  "log.cleaner.backoff.ms": "300",
  "log.cleaner.min.cleanable.ratio": "0.05",
  "log.cleaner.delete.retention.ms": "1000",
}

export const suite: Suite = (seed, options) => {
  const random = new SeededRandom(`kind ${seed}`)
  const protocols = random.chance(0.5) ? (["consumer"] as const) : PROTOCOLS
  return new CrashRun(seed, random.pick(KINDS), { protocols, settings: SETTINGS }, options).run()
}

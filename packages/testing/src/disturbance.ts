/**
 * What can be done to a pipeline between two of its records without a trace in what it writes: transactions that end here
 * or there, or are aborted; commits that fail or die at any of their steps; workers that crash, with or without the last
 * writes of their engines, or give their tasks to others.
 */
import { COMMIT_STEPS, type CommitStep, FAULT_KINDS, type FaultKind } from "./memory-cluster.ts"
import type { SeededRandom } from "./seeded-random.ts"
import type { TestDriver } from "./test-driver.ts"

export type Disturbance =
  /** So many records of each task, without a commit. */
  | { readonly kind: "process"; readonly records: number }
  | { readonly kind: "commit" }
  | { readonly kind: "abort" }
  /** Some records and a commit that meets a fault at one of its steps. */
  | { readonly kind: "fault"; readonly step: CommitStep; readonly fault: FaultKind }
  | { readonly kind: "crash"; readonly lostEngineWrites: number }
  | { readonly kind: "move"; readonly loseEngines: boolean }

const RECORDS_BEFORE_FAULT = 3

export async function disturb(driver: TestDriver, disturbance: Disturbance): Promise<void> {
  switch (disturbance.kind) {
    case "process":
      return void driver.process(disturbance.records)
    case "commit":
      return void (await driver.commit())
    case "abort":
      return await driver.abort()
    case "crash":
      return await driver.crash(disturbance)
    case "move":
      return await driver.move(disturbance)
    case "fault":
      driver.failAt(disturbance.step, disturbance.fault)
      driver.process(RECORDS_BEFORE_FAULT)
      await driver.commit()
  }
}

/** Each of them as often as it stands here. */
const KINDS: ReadonlyArray<Disturbance["kind"]> = [
  ...(["process", "process", "process", "process", "process"] as const),
  ...(["commit", "commit", "commit"] as const),
  ...(["fault", "fault"] as const),
  "abort",
  "crash",
  "move",
]

export function randomDisturbances(random: SeededRandom, countMax: number): Disturbance[] {
  return Array.from({ length: random.below(countMax + 1) }, (): Disturbance => {
    const kind = random.of(KINDS)
    if (kind === "process") return { kind, records: 1 + random.below(6) }
    if (kind === "fault") return { kind, step: random.of(COMMIT_STEPS), fault: random.of(FAULT_KINDS) }
    if (kind === "crash") return { kind, lostEngineWrites: random.below(4) }
    if (kind === "move") return { kind, loseEngines: random.below(2) === 0 }
    return { kind }
  })
}

export function describeDisturbance(disturbance: Disturbance): string {
  switch (disturbance.kind) {
    case "process":
      return `process ${disturbance.records}`
    case "fault":
      return `${disturbance.fault} at ${disturbance.step}`
    case "crash":
      return `crash, losing ${disturbance.lostEngineWrites} engine writes`
    case "move":
      return disturbance.loseEngines ? "move without engines" : "move"
    default:
      return disturbance.kind
  }
}

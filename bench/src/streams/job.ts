/**
 * What a process of suite "streams" is told, as JSON: the same for every peer.
 */
import type { Format } from "./data.ts"
import type { WorkloadName } from "./rows.ts"

export type Guarantee = "exactly-once" | "at-least-once"

export interface Job {
  readonly workload: WorkloadName
  readonly format: Format
  readonly guarantee: Guarantee
  readonly commitMs: number
  readonly brokers: string
  /** Also the group's id. */
  readonly application: string
  /** Topics by what they hold. */
  readonly topics: Readonly<Record<string, string>>
  readonly output: string
  /** Where state goes. */
  readonly directory: string
}

/**
 * What clients were told: which values were acknowledged, and which belong to transactions aborted on purpose. The checks
 * are the simulation's.
 */
import { exactCopy } from "@millrace/simulation/checker/exact-copy"
import { noDuplicate } from "@millrace/simulation/checker/no-duplicate"
import { noLostAcknowledgement } from "@millrace/simulation/checker/no-lost-acknowledgement"
import type { Placed } from "@millrace/simulation/checker/observed"

export class Ledger {
  /** Where the broker said that it put the value. */
  readonly acknowledged = new Map<string, { readonly partition: number; readonly offset: number }>()
  readonly aborted = new Set<string>()
  sent = 0

  /** The topic that idempotent producers write: every value at most once, every acknowledged one where it was said to be. */
  checkInput(log: readonly (readonly Placed[])[]): string[] {
    return [...noLostAcknowledgement(this.acknowledged, log), ...noDuplicate(log.flat().map(({ value }) => value))]
  }

  /** What read_committed sees of the copiers' topic: exactly the input, each value once. */
  checkCopy(input: readonly string[], copy: readonly string[]): string[] {
    return exactCopy(input, copy, this.aborted)
  }
}

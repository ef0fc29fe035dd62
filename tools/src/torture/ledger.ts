/**
 * What clients were told: which values were acknowledged, and which belong to transactions aborted on purpose. The checks
 * are the simulation's.
 */
import { exactCopy } from "@millrace/simulation/checker/exact-copy"
import { noDuplicate } from "@millrace/simulation/checker/no-duplicate"
import { noLostAcknowledgement } from "@millrace/simulation/checker/no-lost-acknowledgement"

export class Ledger {
  readonly acknowledged = new Set<string>()
  readonly aborted = new Set<string>()
  sent = 0

  /** The topic that idempotent producers write: every value at most once, every acknowledged one there. */
  checkInput(log: readonly string[]): string[] {
    return [...noLostAcknowledgement(this.acknowledged, log), ...noDuplicate(log)]
  }

  /** What read_committed sees of the copiers' topic: exactly the input, each value once. */
  checkCopy(input: readonly string[], copy: readonly string[]): string[] {
    return exactCopy(input, copy, this.aborted)
  }
}

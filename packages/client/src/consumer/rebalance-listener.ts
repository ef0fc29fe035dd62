/** What a program is told of the partitions that its group gives it and takes from it. */
import type { TopicPartition } from "../group/assignor.ts"

/** Called and awaited inside `poll` (and `close`). */
export interface RebalanceListener {
  /** New partitions, before anything is fetched of them: the place to `seek`. */
  onAssigned?(partitions: readonly TopicPartition[]): Promise<void> | void
  /** Partitions about to go, while they are still ours: the place to finish and commit. */
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void> | void
  /** Partitions that are others' already: nothing of them may be committed. Default: `onRevoked`. */
  onLost?(partitions: readonly TopicPartition[]): Promise<void> | void
}

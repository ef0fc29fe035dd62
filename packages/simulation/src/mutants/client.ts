/**
 * Faults in the client: what is sent again and how, what a transaction waits for, what a consumer believes.
 */
import type { Mutant } from "../mutant.ts"

const suite = "broker"
const PARTITION_QUEUE = "packages/client/src/producer/partition-queue.ts"
const PARTITION_STATE = "packages/client/src/consumer/partition-state.ts"
const TRANSACTIONS = "packages/client/src/producer/transactions.ts"
const PRODUCER = "packages/client/src/producer/producer.ts"

export const CLIENT_MUTANTS: readonly Mutant[] = [
  {
    name: "new-sequence-on-retry",
    fault: "A batch that is sent again gets another sequence.",
    file: PARTITION_QUEUE,
    find: "if (!batch.isSealed || batch.identity !== this.identity) {",
    replace: "batch.maybeAppended = false\n    if (batch.order >= 0) {",
    suite,
  },
  {
    name: "lost-answer-is-success",
    fault: "A batch whose answer was lost counts as delivered.",
    file: "packages/client/src/producer/sender.ts",
    find: "if (isUnanswered(error) && this.#gate.retries) this.#retry(batch, true)",
    replace: "if (isUnanswered(error)) (batch.succeed(-1, -1), this.release(batch))",
    suite,
  },
  {
    name: "commit-before-flush",
    fault: "A transaction is committed while its records are on their way.",
    file: PRODUCER,
    find: `transactions.state.requireOpen("commitTransaction")\n    await this.#settle()`,
    replace: `transactions.state.requireOpen("commitTransaction")`,
    suite,
  },
  {
    name: "marker-does-not-end-an-abort",
    fault: "Behind an aborted transaction everything of that producer stays hidden.",
    file: "packages/client/src/consumer/aborted-filter.ts",
    find: "this.#active.delete(producerId)",
    replace: "",
    suite,
  },
  {
    name: "aborted-list-ignored",
    fault: "What a fetch says of aborted transactions is not looked at.",
    file: PARTITION_STATE,
    find: "this.#filter.begin(buffered.data.abortedTransactions)",
    replace: "this.#filter.reset()",
    suite,
  },
  {
    name: "seek-takes-late-answers",
    fault: "After a seek the answer to an earlier fetch is still taken.",
    file: PARTITION_STATE,
    find: "    this.stamp++\n",
    replace: "",
    suite,
  },
  {
    name: "seek-keeps-the-buffer",
    fault: "After a seek what was fetched ahead is still handed out.",
    file: PARTITION_STATE,
    find: "    this.#buffer.length = 0\n",
    replace: "",
    suite,
  },
  {
    name: "offsets-without-membership",
    fault: "Offsets are sent to the transaction without saying which member of which generation commits.",
    file: TRANSACTIONS,
    find: "generationIdOrMemberEpoch: group.generationId,\n          memberId: group.memberId,",
    replace: `generationIdOrMemberEpoch: -1,\n          memberId: "",`,
    suite,
  },
  {
    name: "positions-from-unstable-offsets",
    fault: "A consumer begins at offsets that an undecided transaction is about to move.",
    file: "packages/client/src/consumer/positions.ts",
    find: `const requireStable = options.isolation === "read_committed"`,
    replace: "const requireStable = false",
    suite,
  },
  {
    name: "unknown-outcome-is-success",
    fault: "A commit whose answer never came counts as done.",
    file: TRANSACTIONS,
    find: "      if (unanswered) {\n",
    replace: "      if (unanswered) return state.ended()\n      if (unanswered) {\n",
    suite,
  },
  {
    name: "commit-ahead-of-processing",
    fault: "Positions are committed up to what was fetched ahead.",
    file: "packages/client/src/consumer/consumer.ts",
    find: "offset: state.position, leaderEpoch: state.leaderEpoch",
    replace: "offset: state.fetchOffset, leaderEpoch: state.leaderEpoch",
    suite,
  },
  {
    name: "new-assignment-lost",
    fault: "A loss from an earlier generation takes the partitions of the new one.",
    file: "packages/client/src/group/group.ts",
    find: `if (membership.takeLost()) await this.#giveUp("lost", this.#owned)\n      if (done.value`,
    replace: "if (done.value",
    suite,
  },
]

/**
 * Faults in groups whose broker assigns (KIP-848).
 */
import type { Mutant } from "../mutant.ts"

const suite = "consumer-group"
const STEP = "packages/broker/src/group/consumer/step.ts"
const OFFSETS = "packages/broker/src/group/consumer/offsets.ts"

export const CONSUMER_GROUP_MUTANTS: readonly Mutant[] = [
  {
    name: "partitions-given-twice",
    fault: "A member is given partitions that another has yet to give up.",
    file: STEP,
    find: "isOwned: (topicId, partition) => this.#group.isOwned(topicId, partition),",
    replace: "isOwned: () => false,",
    suite,
  },
  {
    name: "consumer-session-without-end",
    fault: "A member of a consumer group that falls silent stays in it.",
    file: STEP,
    find: "armSession(this.#shard, groupId, member, this.#out)",
    replace: "",
    suite,
  },
  {
    name: "strangers-commit",
    fault: "A consumer group takes offsets from members that it has dropped.",
    file: OFFSETS,
    find: "if (member === undefined) return ErrorCode.UNKNOWN_MEMBER_ID\n  if (!knowsEpochs",
    replace: "if (member === undefined) return ErrorCode.NONE\n  if (!knowsEpochs",
    suite,
  },
]

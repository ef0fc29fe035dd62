/**
 * Faults in the member of a streams group (KIP-1071): what it lets go of, and who it says it is.
 */
import type { Mutant } from "../mutant.ts"

const suite = "streams-group"

export const STREAMS_GROUP_MUTANTS: readonly Mutant[] = [
  {
    name: "fenced-member-keeps-its-tasks",
    fault: "A member that the group went on without joins again, and does not let go of what it had.",
    file: "packages/client/src/group/streams/membership.ts",
    find: '  #leave(): StreamsStep {\n    this.#phase = "out"',
    replace: '  #leave(): StreamsStep {\n    this.#phase = "joining"',
    suite,
  },
  {
    name: "membership-not-claimed",
    fault: "Offsets are committed as nobody, which no group refuses to a transaction.",
    file: "packages/client/src/group/streams/streams-group.ts",
    find: "return { groupId, groupInstanceId, memberId, generationId: generation }",
    replace: 'return { groupId, groupInstanceId, memberId: memberId && "", generationId: Math.min(-1, generation) }',
    suite,
  },
]

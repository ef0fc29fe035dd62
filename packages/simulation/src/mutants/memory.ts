/**
 * Faults in who owns memory that is used again: it has another owner while somebody still reads it.
 */
import type { Mutant } from "../mutant.ts"

const suite = "broker"

export const MEMORY_MUTANTS: readonly Mutant[] = [
  {
    name: "answer-memory-reused-early",
    fault: "The memory of an answer is given back when it was written, not when the network has taken it.",
    file: "packages/broker/src/network/server.ts",
    find: "socket.write(chunks, taken)",
    replace: "socket.write(chunks), taken?.()",
    suite,
  },
  {
    name: "request-memory-reused-early",
    fault: "A Produce request is given back while a batch of it waits for the transaction's coordinator.",
    file: "packages/broker/src/api/produce.ts",
    find: "this.#unread++",
    replace: "void this.#unread",
    suite,
  },
  {
    name: "small-answers-reused-early",
    fault: "Records that fill little of what they were read into stay there, though it is given back.",
    file: "packages/host/src/buffer-loan.ts",
    find: "if (isItsOwn) kept = this.#moved(bytes)",
    replace: "",
    suite,
  },
]

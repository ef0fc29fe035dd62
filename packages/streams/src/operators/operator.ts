/**
 * What every operator is: a kind with its rules for keys, and a processor made from it once per task.
 *
 * A processor receives one record at a time and gives what follows to `next`, synchronously and depth first. It keeps
 * nothing across records that a rollback must undo: such things live in stores and cells.
 */
import { type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import { corruptionOf, ProcessingError } from "../errors.ts"
import type { TableReader } from "../state/table-reader.ts"
import type { Store } from "../state/store.ts"
import type { LogicalNode } from "../topology/node.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import type { TaskContext } from "../task/context.ts"
import { siteOf } from "./side-record.ts"

export interface Operator {
  /** In plans, drawings and names of unnamed nodes. */
  readonly kind: string
  /** Its result depends on the key: input whose key may have changed is repartitioned first. */
  readonly keyDependent?: boolean
  /** A table of records: its store may keep their headers. */
  readonly keepsHeaders?: boolean
  /** It is the process's and no task's: all of its topic, in every process, to be read by any key. */
  readonly isGlobal?: boolean
  /** What it sends has the headers of the change that it comes from; its store, if it has one, keeps them. */
  readonly passesHeaders?: boolean
  /** What it sends has the keys of windows, { key, start, end }, which no codec is known for. */
  readonly keysWindows?: boolean
  /** Of operators with several inputs; a repartition topic before one is named after it too. */
  readonly inputNames?: readonly string[]
  /** Its results may come later: what follows waits in the order of the input. */
  readonly suspends?: boolean
  /** By its options: what it sends may come of timers, or with a record that it does not come from. */
  holdsBack?(options: LogicalNode["options"]): boolean
  /** Its results come when the transaction commits, so that a full gate is a reason to commit. */
  readonly endsWithTransaction?: boolean
  /** Of a table whose store does not hold one row under each of its keys: how to read it. */
  rows?(store: Store, node: PhysicalNode, context: TaskContext): TableReader
  /** It reads the old value of a table's change, so that tables before it must send it. */
  readonly readsOld?: boolean
  make(node: PhysicalNode, context: TaskContext): Processor
  /** Of tables: how a row is read where the node has no store. */
  view?(node: PhysicalNode, context: TaskContext): TableReader
}

export interface Receiver {
  receive(record: StreamRecord): void
}

/** The end of a branch that nobody listens to. */
export const DISCARD: Receiver = { receive() {} }

export abstract class Processor implements Receiver {
  readonly node: PhysicalNode
  readonly context: TaskContext
  /** Set by `link` before the first record. */
  next: Receiver = DISCARD
  /** Of several inputs it goes by the one that is ahead, and not by the one that is behind. */
  readonly goesByGreatest: boolean = false
  /** How far behind the time that it was told its own results may be: it holds records back for so long. */
  readonly heldMs: number = 0

  constructor(node: PhysicalNode, context: TaskContext) {
    this.node = node
    this.context = context
  }

  abstract receive(record: StreamRecord): void

  /**
   * Event time has come to `time` for all that can still reach this operator: what was held back until then goes. `at` is the
   * record or time mark that moved it. Of operators for which time matters: task/time-advance.ts.
   */
  advance?(time: number, at: StreamRecord): void

  /** All that feeds it is idle: nobody behind it needs to wait for its time. Of sinks that others wait for. */
  idle?(): void

  /** What takes the records of input number `index`: operators that tell their inputs apart answer one for each. */
  input(_index: number): Receiver {
    return this
  }

  /** Told once which receivers follow; `nodes` are theirs. */
  link(receivers: readonly Receiver[], _nodes: readonly PhysicalNode[]): void {
    this.next = fanOut(receivers)
  }

  /** A user's callback threw, or a value did not encode. */
  failed(record: StreamRecord, cause: unknown): ProcessingError {
    if (cause instanceof ProcessingError) return cause
    // No matter of this record: handlers of its failures must not see it.
    if (corruptionOf(cause) !== undefined) throw cause
    return new ProcessingError(siteOf(this.context, this.node, record), cause)
  }
}

export function fanOut(receivers: readonly Receiver[]): Receiver {
  if (receivers.length === 0) return DISCARD
  if (receivers.length === 1) return receivers[0]!
  return {
    receive(record) {
      for (const receiver of receivers) receiver.receive(record)
    },
  }
}

/**
 * A value of the node's first store that outlives its call: callbacks may change an aggregate in place, so what is kept beyond the call that
 * made it (an old value, a record that waits for an effect) is a copy. undefined, no value, becomes a tombstone.
 */
export function copyOf(node: PhysicalNode, value: unknown): unknown {
  if (value === undefined) return TOMBSTONE
  if (typeof value !== "object" || value === null) return value
  const { value: serde } = node.stores[0]!
  return serde.decode(serde.encode(value))
}

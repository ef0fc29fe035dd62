/**
 * One function around every operator of a pipeline, to log, to measure, or to check what flows (KIP-1112).
 *
 * It is called with each record that an operator receives, those that we put in for a repartition included, and runs the
 * operator by `run`: with all that follows in memory, since records go depth first. What comes behind an effect or a
 * repartition topic comes later, in a call of its own. Without `run` the record is not processed there, and nothing counts it.
 *
 * It sees the record and does not replace it: what is to change records or to keep state is an operator. What the function
 * throws is the operator's failure of that record; what the operator throws it may look at, and cannot swallow. A record
 * whose transaction was aborted comes again.
 *
 * It is synchronous and answers nothing. One that awaits before it runs the operator would do so when the record counts as
 * processed already: what it answers, a promise above all, ends the run, and so does running twice. Handlers of failures
 * have no say in that.
 */
import type { Rec } from "./record.ts"

export interface WrappedOperator {
  /** As the pipeline names it, or its kind and number. */
  readonly name: string
  readonly kind: string
  /** SUBTOPOLOGY_PARTITION. */
  readonly task: string
}

/**
 * A tombstone has the value null. `run` is called at most once, and before the function returns. Where `void` alone is
 * asked for, the compiler takes async functions too.
 */
export type OperatorWrapper = (
  operator: WrappedOperator,
  record: Rec<unknown, unknown>,
  run: () => void,
) => void | undefined

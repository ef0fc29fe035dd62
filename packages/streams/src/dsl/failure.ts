/**
 * What becomes of a record that cannot be read, processed or written: by handlers of a pipeline, a source, an operator or
 * a sink, the nearest winning.
 *
 *     fail         the pipeline ends, naming the record; nothing of its transaction is kept (the default)
 *     skip         the record is dropped there and counted; the rest goes on
 *     deadLetter   the record is written to a topic, in the same transaction, and the rest goes on
 *
 * Skipped is what the failing operator would have done with the record. What operators before it did stays done, and so
 * does what a processor of one's own put into stores or forwarded before it threw.
 */
import type { ProcessingError } from "../errors.ts"
import type { Rec } from "./record.ts"
import { Flow } from "./stream.ts"
import type { Topic } from "./topic.ts"
import { PipelineError } from "../errors.ts"

/**
 * A dead-letter topic by its name gets the key and value bytes of the source's record as they were read. By its definition
 * it gets the record as it stood at the operator that failed, written by the topic's serdes.
 */
export type FailureAction = "fail" | "skip" | { readonly deadLetter: string | Topic<any, any> }

export interface FailedRecord {
  /** Names operator and record; its `cause` is what was thrown. */
  readonly error: ProcessingError
  /** As it stood at the operator; undefined where its bytes did not decode. */
  readonly record: Rec<any, any> | undefined
}

export type FailureHandler = FailureAction | ((failed: FailedRecord) => FailureAction)

export interface FailureHandlers {
  /** Bytes of a source topic did not decode. */
  readonly onDeserializationFailure?: FailureHandler
  /** A callback threw. */
  readonly onProcessingFailure?: FailureHandler
  /** A key or value did not encode, a partitioner threw, or the cluster refused the record. */
  readonly onProductionFailure?: FailureHandler
}

/** What a handler says of a failure. Throws a PipelineError where that is nothing that can be carried out. */
export function actionOf(handler: FailureHandler, failed: FailedRecord): FailureAction {
  return checkedAction(typeof handler === "function" ? handler(failed) : handler, handler, failed.error)
}

/** An answer of a handler, if it is one. */
export function checkedAction(action: unknown, handler: unknown, error: ProcessingError): FailureAction {
  if (isAction(action)) return action
  if (action instanceof Promise) action.catch(() => {})
  const { pipeline, operator } = error.site
  const name = typeof handler === "function" && handler.name !== "" ? ` ${handler.name}` : ""
  const answer = action instanceof Promise ? "a promise" : (JSON.stringify(action) ?? String(action))
  throw new PipelineError(
    `pipeline "${pipeline}", operator "${operator}": its failure handler${name} answered ${answer}: ` +
      `answer "fail", "skip" or { deadLetter: a topic }, at once`,
    { cause: error },
  )
}

export function isAction(action: unknown): action is FailureAction {
  if (action === "fail" || action === "skip") return true
  const { deadLetter } = (action ?? {}) as { readonly deadLetter?: unknown }
  return typeof deadLetter === "string" || typeof (deadLetter as Topic<any, any> | undefined)?.name === "string"
}

/** Handles what fails in one operator: `S.guard("skip", S.map(parse))`. */
export function guard<A, B>(handler: FailureHandler, operator: (input: A) => B): (input: A) => B {
  return (input) => {
    const result: unknown = operator(input)
    const source = input instanceof Flow ? input.node : undefined
    const isOne = result instanceof Flow && source !== undefined && result.node.inputs.includes(source)
    if (!isOne) throw new PipelineError("guard takes one operator that answers one stream, table or sink")
    const functions = { ...result.node.functions, onRecordFailure: () => handler }
    return new Flow(result.kind, { ...result.node, functions }, result.windows) as B
  }
}

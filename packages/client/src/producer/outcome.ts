/**
 * What the broker's answer to one batch means: a total function of the code and where the batch stands.
 */
import { ErrorCode, isRetriable } from "@millrace/protocol"

export type Outcome =
  /** It is in the log. */
  | { readonly kind: "appended" }
  /** It goes again; `maybeAppended` when this attempt may have worked. */
  | { readonly kind: "retry"; readonly maybeAppended: boolean }
  /** It goes again under a new identity: the broker has lost what it knew of this producer. */
  | { readonly kind: "reset" }
  | { readonly kind: "failed" }
  /** The producer as a whole was replaced. */
  | { readonly kind: "fenced" }

export interface BatchStanding {
  readonly idempotent: boolean
  readonly transactional: boolean
  /** No earlier batch of the partition is unanswered. */
  readonly isHead: boolean
  /** An earlier batch of the partition failed, and with it its sequence: all that follow go under a new identity. */
  readonly sequenceLost: boolean
  /** An earlier attempt may have worked. */
  readonly maybeAppended: boolean
}

const APPENDED: Outcome = { kind: "appended" }
const FAILED: Outcome = { kind: "failed" }
const RETRY: Outcome = { kind: "retry", maybeAppended: false }
const RETRY_UNSURE: Outcome = { kind: "retry", maybeAppended: true }

export function outcomeOf(code: number, standing: BatchStanding): Outcome {
  switch (code) {
    case ErrorCode.NONE:
    case ErrorCode.DUPLICATE_SEQUENCE_NUMBER:
      return APPENDED
    case ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER:
      // Behind another unanswered batch, or one that was given up, it only says that that one did not arrive. At the head
      // something is lost.
      return standing.idempotent && (!standing.isHead || standing.sequenceLost) ? RETRY : FAILED
    case ErrorCode.UNKNOWN_PRODUCER_ID:
      if (!standing.isHead) return RETRY
      return standing.idempotent && !standing.transactional && !standing.maybeAppended ? { kind: "reset" } : FAILED
    case ErrorCode.PRODUCER_FENCED:
    case ErrorCode.INVALID_PRODUCER_EPOCH:
      return standing.transactional ? { kind: "fenced" } : FAILED
    case ErrorCode.REQUEST_TIMED_OUT:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return RETRY_UNSURE
    case ErrorCode.CONCURRENT_TRANSACTIONS:
      return RETRY
    default:
      return isRetriable(code) ? RETRY : FAILED
  }
}

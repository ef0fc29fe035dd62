/**
 * What the client throws beside `KafkaError` (a broker's code) and `NetError` (a connection's end).
 *
 * The transactional ones are told apart by class, because a caller must do different things: `ProducerFenced` ends the
 * producer, `TransactionAbortable` asks for `abortTransaction`, `CommitOutcomeUnknown` asks to find out.
 */
import { errorMessage, KafkaError } from "@millrace/protocol"
import { NetError } from "@millrace/host"

/** Something did not happen in time. For a request that changes state, its outcome is unknown. */
export class TimeoutError extends Error {
  override readonly name = "TimeoutError"
}

/** The client, producer, consumer or admin was closed while (or before) this was asked. */
export class ClosedError extends Error {
  override readonly name = "ClosedError"
}

/** A call that the object's state forbids: the caller's mistake. */
export class IllegalStateError extends Error {
  override readonly name = "IllegalStateError"
}

/** The broker and this client share no version of an API, or the broker lacks it. */
export class UnsupportedVersionError extends Error {
  override readonly name = "UnsupportedVersionError"
}

/** Another producer with the same transactional id took over, or the coordinator ended this one's epoch. Fatal. */
export class ProducerFenced extends Error {
  override readonly name = "ProducerFenced"
}

/** The producer cannot go on: authorization, versions. Close it. */
export class ProducerFatal extends Error {
  override readonly name = "ProducerFatal"
}

/** The open transaction can only be aborted; `cause` says why. The producer can go on after `abortTransaction`. */
export class TransactionAbortable extends Error {
  override readonly name = "TransactionAbortable"
}

/** The record was dropped because its transaction was aborted before it was sent. */
export class TransactionAborted extends Error {
  override readonly name = "TransactionAborted"
}

/**
 * EndTxn(commit) was sent and no answer tells what became of it. Neither outcome may be assumed: call
 * `initTransactions` (which ends the old transaction one way or the other), then look at the committed offsets.
 */
export class CommitOutcomeUnknown extends Error {
  override readonly name = "CommitOutcomeUnknown"
}

/** The group has moved on: this member's commit belongs to an old generation. */
export class CommitFailed extends Error {
  override readonly name = "CommitFailed"
}

/** More is buffered than the producer may hold; wait with `await producer.waitForSpace()`. */
export class BufferExhausted extends Error {
  override readonly name = "BufferExhausted"
}

/** A partition has no committed offset (or its offset left the log), and the reset policy is "none". */
export class NoOffset extends Error {
  override readonly name = "NoOffset"
  readonly topic: string
  readonly partition: number
  constructor(topic: string, partition: number, reason: string) {
    super(`${topic}-${partition}: ${reason}, and autoOffsetReset is "none"; seek first`)
    this.topic = topic
    this.partition = partition
  }
}

/** Builds the error for a broker's answer: the code, what was asked, and the broker's own words where it has some. */
export function kafkaError(code: number, what: string, brokerMessage?: string | null): KafkaError {
  return new KafkaError(code, `${what}: ${brokerMessage || errorMessage(code)}`)
}

/** The request may or may not have been carried out. */
export const isUnanswered = (error: unknown): boolean => error instanceof NetError || error instanceof TimeoutError

/** Worth another attempt after a backoff: a connection's fault, or a code that Kafka calls retriable. */
export const isRetriableError = (error: unknown): boolean =>
  isUnanswered(error) || (error instanceof KafkaError && error.retriable)

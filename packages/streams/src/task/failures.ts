/**
 * Carries out what failure handlers say: see dsl/failure.ts.
 */
import { type Headers, isAbsent, type StreamRecord } from "../dsl/record.ts"
import { actionOf, type FailureHandler } from "../dsl/failure.ts"
import type { Topic } from "../dsl/topic.ts"
import { ProcessingError } from "../errors.ts"
import { DeadLetters } from "../operators/dead-letters.ts"
import type { Processor, Receiver } from "../operators/operator.ts"
import type { PhysicalNode } from "../topology/topology.ts"
import type { TaskContext } from "./context.ts"
import { RecordQueue } from "./record-queue.ts"
import { TIME_HEADER } from "./repartition-time.ts"

/** A record as it was read. */
export interface RawRecord {
  readonly timestamp: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: Headers
}

export class Failures {
  readonly #node: PhysicalNode
  readonly #context: TaskContext
  readonly #handler: FailureHandler
  readonly #deadLetters: DeadLetters

  constructor(node: PhysicalNode, context: TaskContext, handler: FailureHandler) {
    this.#node = node
    this.#context = context
    this.#handler = handler
    this.#deadLetters = new DeadLetters(node, context)
  }

  /** Skips the record or writes it away; throws the error when it is to fail, or is not this node's own. */
  handle(cause: unknown, record: StreamRecord | undefined, queue?: RecordQueue): void {
    this.decide(cause, record, () => asRead(this.#node, record, queue))?.()
  }

  /** The same, but that the dead letter is written by who is answered, in its turn. */
  decide(cause: unknown, record: StreamRecord | undefined, raw: () => RawRecord): (() => void) | undefined {
    if (!(cause instanceof ProcessingError) || cause.site.operator !== this.#node.name) throw cause
    const action = actionOf(this.#handler, { error: cause, record: record as never })
    if (action === "fail") throw cause
    if (action === "skip") {
      this.#context.drop("skipped", record)
      return undefined
    }
    const { deadLetter } = action
    if (typeof deadLetter !== "string" && record !== undefined) {
      return () => this.#deadLetters.write(deadLetter, record, cause.cause)
    }
    return () => this.#deadLetters.writeRaw(nameOf(deadLetter), raw(), cause)
  }
}

/** A receiver whose own failures are handled. */
export function guarded(receiver: Receiver, node: PhysicalNode, context: TaskContext): Receiver {
  if (node.onFailure === undefined) return receiver
  const failures = new Failures(node, context, node.onFailure)
  return {
    receive(record) {
      try {
        receiver.receive(record)
      } catch (cause) {
        failures.handle(cause, record)
      }
    },
  }
}

/** How a processor is told the time, its own failures being handled: again, until nothing that was due is left. */
export function guardedAdvance(processor: Processor, context: TaskContext): Processor["advance"] {
  if (processor.advance === undefined) return undefined
  const { node } = processor
  if (node.onFailure === undefined) return (time, at) => processor.advance!(time, at)
  const failures = new Failures(node, context, node.onFailure)
  return (time, at) => {
    for (let isDone = false; !isDone;) {
      try {
        processor.advance!(time, at)
        isDone = true
      } catch (cause) {
        failures.handle(cause, at)
      }
    }
  }
}

const nameOf = (topic: string | Topic<any, any>): string => (typeof topic === "string" ? topic : topic.name)

/**
 * A record as its task read it. Behind effects the source's bytes are gone: then as it reached the operator, by the serdes of
 * the input that it came by.
 */
export function asRead(
  node: PhysicalNode,
  record: StreamRecord | undefined,
  queue?: RecordQueue,
  input = 0,
): RawRecord {
  const raw = rawOf(record, queue)
  if (raw !== undefined) return raw
  const { key, value } = node.inputs[input] ?? node
  return {
    timestamp: Math.max(0, record?.timestamp ?? 0),
    key: record === undefined || isAbsent(record.key) ? null : key.encode(record.key),
    value: record === undefined || isAbsent(record.value) ? null : value.encode(record.value),
    headers: record?.headers ?? [],
  }
}

/** The source's record while it is still the one that is being processed. */
export function rawOf(record: StreamRecord | undefined, queue?: RecordQueue): RawRecord | undefined {
  const from = queue ?? record?.origin
  if (!(from instanceof RecordQueue)) return undefined
  const { head } = from
  if (head === undefined || (record !== undefined && head.offset !== record.offset)) return undefined
  const headers = head.headers().filter(({ key }) => key !== TIME_HEADER)
  return { timestamp: Math.max(0, head.timestamp), key: head.key(), value: head.value(), headers }
}

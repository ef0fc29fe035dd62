/** A receiver with the pipeline's function around it: see dsl/wrap.ts. */
import { type StreamRecord, TOMBSTONE } from "../dsl/record.ts"
import type { WrappedOperator } from "../dsl/wrap.ts"
import { PipelineError } from "../errors.ts"
import type { Processor, Receiver } from "../operators/operator.ts"
import type { TaskContext } from "./context.ts"
import { formatTaskId } from "../topology/naming.ts"

export function wrapped(receiver: Receiver, processor: Processor, context: TaskContext): Receiver {
  const { name, kind, wrap } = processor.node
  if (wrap === undefined) return receiver
  const operator: WrappedOperator = { name, kind, task: formatTaskId(context.taskId) }
  return { receive: (record) => new Call(receiver, record, processor).within(wrap, operator) }
}

class Call {
  readonly #receiver: Receiver
  readonly #record: StreamRecord
  readonly #processor: Processor
  #isRun = false
  #isOver = false
  /** What the operator threw, or one behind it, or that it was run again: neither skipped for this operator nor swallowed. */
  #failure: { readonly cause: unknown } | undefined

  constructor(receiver: Receiver, record: StreamRecord, processor: Processor) {
    this.#receiver = receiver
    this.#record = record
    this.#processor = processor
  }

  within(wrap: NonNullable<Processor["node"]["wrap"]>, operator: WrappedOperator): void {
    const record = this.#record
    let answer: unknown
    try {
      answer = wrap(operator, record.value === TOMBSTONE ? record.with(null) : record, () => this.#run())
    } catch (cause) {
      if (this.#failure === undefined) throw this.#processor.failed(record, cause)
    } finally {
      this.#isOver = true
    }
    if (answer !== undefined) throw this.#answered(answer)
    if (this.#failure !== undefined) throw this.#failure.cause
  }

  #run(): void {
    if (this.#isOver || this.#isRun) {
      const misuse = this.#misuse("run is called at most once, and before the function returns")
      if (!this.#isOver) this.#failure ??= { cause: misuse }
      throw misuse
    }
    this.#isRun = true
    try {
      this.#receiver.receive(this.#record)
    } catch (cause) {
      this.#failure = { cause }
      throw cause
    }
  }

  /** A promise, an Effect, a generator: what it is to do comes when the record counts as processed, or never. */
  #answered(answer: unknown): PipelineError {
    // Whatever becomes of a promise, it is not to end the process.
    void Promise.resolve(answer).catch(() => {})
    const isPromise = typeof (answer as { readonly then?: unknown } | null)?.then === "function"
    return this.#misuse(
      `the function is synchronous and answers nothing, and answered ${isPromise ? "a promise" : "a value"}; ` +
        "have it call run before it returns, and await nothing",
    )
  }

  /** No matter of this record: no handler skips it. */
  #misuse(rule: string): PipelineError {
    const { context, node } = this.#processor
    return new PipelineError(`pipeline "${context.pipeline}", operator "${node.name}", wrap: ${rule}`)
  }
}

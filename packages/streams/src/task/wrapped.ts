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
  return { receive: (record) => new Call(receiver, record).within(wrap, operator, processor) }
}

class Call {
  readonly #receiver: Receiver
  readonly #record: StreamRecord
  #isOver = false
  /** What the operator threw, or one behind it: no matter of the function. */
  #failure: { readonly cause: unknown } | undefined

  constructor(receiver: Receiver, record: StreamRecord) {
    this.#receiver = receiver
    this.#record = record
  }

  within(wrap: NonNullable<Processor["node"]["wrap"]>, operator: WrappedOperator, processor: Processor): void {
    const record = this.#record
    try {
      wrap(operator, record.value === TOMBSTONE ? record.with(null) : record, () => this.#run())
    } catch (cause) {
      if (this.#failure === undefined) throw processor.failed(record, cause)
    } finally {
      this.#isOver = true
    }
    if (this.#failure !== undefined) throw this.#failure.cause
  }

  #run(): void {
    if (this.#isOver) throw new PipelineError("wrap: run is called once, before the function returns")
    this.#isOver = true
    try {
      this.#receiver.receive(this.#record)
    } catch (cause) {
      this.#failure = { cause }
      throw cause
    }
  }
}

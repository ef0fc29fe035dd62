/**
 * Traces that follow a record: from its producer through every task and repartition topic to the outputs.
 *
 *     transaction APPLICATION      from its first record to its outcome
 *       commit APPLICATION         from the end of intake to the outcome
 *     process TOPIC                one record, in its own trace, when its traceparent says that it is sampled;
 *                                  linked to the transaction
 *
 * A sampled record goes on with its span as the parent, so what it becomes is the span's child wherever it is read next; one
 * that is not sampled goes on as it came. What has no headers of its own, such as an aggregate's update, takes the trace of
 * the record that caused it. A span ends when the record has been driven through; what waits for effects keeps its trace.
 *
 * The API's global is looked at once, when the run starts: without a tracer provider there, nothing of this is loaded.
 */
import { context, type Link, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api"
import { type Headers, StreamRecord } from "../dsl/record.ts"
import type { RecordOutput } from "../task/context.ts"
import type { RecordTracing, TransactionTracing } from "../task/tracing.ts"
import { parseTraceparent, traceHeaders, withParent } from "./traceparent.ts"

export class Tracing implements RecordTracing, TransactionTracing {
  readonly #tracer: Tracer = trace.getTracer("@millrace/streams")
  readonly #application: string
  readonly #attributes: Record<string, string>
  #transaction: Span | undefined
  /** Of the record that is being driven through. */
  #current: Headers | undefined

  constructor(application: string, member: string) {
    this.#application = application
    this.#attributes = {
      "messaging.system": "kafka",
      "messaging.consumer.group.name": application,
      "messaging.client.id": member,
    }
  }

  follow(record: StreamRecord, receive: (record: StreamRecord) => void): void {
    const headers = traceHeaders(record.headers)
    if (headers === undefined) return receive(record)
    const parent = parseTraceparent(headers)
    if (parent === undefined || parent.traceFlags === 0) {
      this.#current = headers
      try {
        return receive(record)
      } finally {
        this.#current = undefined
      }
    }
    const span = this.#tracer.startSpan(
      `process ${record.topic}`,
      { kind: SpanKind.CONSUMER, links: this.#links(), attributes: this.#place(record) },
      trace.setSpanContext(context.active(), parent),
    )
    this.#current = withParent(headers, span.spanContext())
    const followed = new StreamRecord(
      record.key,
      record.value,
      record.timestamp,
      withParent(record.headers, span.spanContext()),
      record.offset,
      record.origin,
      record.clock,
      record.old,
    )
    try {
      context.with(trace.setSpan(context.active(), span), () => receive(followed))
    } catch (failure) {
      fail(span, failure)
      throw failure
    } finally {
      this.#current = undefined
      span.end()
    }
  }

  #links(): Link[] {
    return this.#transaction === undefined ? [] : [{ context: this.#transaction.spanContext() }]
  }

  #place({ topic, partition, offset }: StreamRecord) {
    return {
      ...this.#attributes,
      "messaging.operation.type": "process",
      "messaging.destination.name": topic,
      "messaging.destination.partition.id": String(partition),
      "messaging.kafka.offset": offset,
    }
  }

  traced(output: RecordOutput): RecordOutput {
    return {
      append: (topic, partition, timestamp, key, value, headers) => {
        const current = this.#current
        if (current === undefined || (headers !== undefined && traceHeaders(headers) !== undefined)) {
          return output.append(topic, partition, timestamp, key, value, headers)
        }
        output.append(
          topic,
          partition,
          timestamp,
          key,
          value,
          headers === undefined ? current : [...headers, ...current],
        )
      },
      waitForSpace: () => output.waitForSpace(),
      partitionCount: (topic) => output.partitionCount(topic),
    }
  }

  begin(): void {
    this.#transaction ??= this.#tracer.startSpan(`transaction ${this.#application}`, {
      kind: SpanKind.INTERNAL,
      attributes: this.#attributes,
      root: true,
    })
  }

  async commit<T>(records: number, commit: () => Promise<T>): Promise<T> {
    const transaction = this.#transaction
    if (transaction === undefined) return await commit()
    transaction.setAttribute("messaging.batch.message_count", records)
    const parent = trace.setSpan(context.active(), transaction)
    const span = this.#tracer.startSpan(`commit ${this.#application}`, { attributes: this.#attributes }, parent)
    try {
      return await commit()
    } catch (failure) {
      fail(span, failure)
      throw failure
    } finally {
      span.end()
    }
  }

  end(outcome: "committed" | "aborted", failure?: unknown): void {
    const transaction = this.#transaction
    this.#transaction = undefined
    if (transaction === undefined) return
    transaction.setAttribute("millrace.outcome", outcome)
    if (failure !== undefined) fail(transaction, failure)
    transaction.end()
  }
}

function fail(span: Span, failure: unknown): void {
  const error = failure instanceof Error ? failure : new Error(String(failure))
  span.recordException(error)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
}

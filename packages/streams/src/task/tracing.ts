/**
 * What tracing asks of the runtime: to be told of records and transactions. tracing/tracing.ts implements it over
 * OpenTelemetry; where nobody registered a tracer provider there is none of it.
 */
import type { StreamRecord } from "../dsl/record.ts"
import type { RecordOutput } from "./context.ts"

export interface RecordTracing {
  /** Drives a record through, or one that carries a span of its own where the record is sampled. */
  follow(record: StreamRecord, receive: (record: StreamRecord) => void): void
  /** Gives what is written while a record is followed the record's trace. */
  traced(output: RecordOutput): RecordOutput
}

export interface TransactionTracing {
  /** Records are about to be processed; does nothing within an open transaction. */
  begin(): void
  /** Wraps the commit of so many records. */
  commit<T>(records: number, commit: () => Promise<T>): Promise<T>
  end(outcome: "committed" | "aborted", failure?: unknown): void
}

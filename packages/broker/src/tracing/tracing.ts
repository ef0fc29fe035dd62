/**
 * What a request tells whoever traces it: when it came, when it was answered, and what the answer says.
 *
 * A port: the broker works the same with it and without, and asks nothing of it per record.
 */
import type { RequestContext } from "../network/context.ts"

export interface RequestTracing {
  /** `api` is Kafka's name of it, such as Produce. */
  begin(api: string, context: RequestContext): RequestSpan
}

/** Ended once, by one of the two. */
export interface RequestSpan {
  /** `answer` is null where none is sent. `throttleMs`: the client is held for so long. */
  answered(answer: object | null, bytes: number, throttleMs: number): void
  /** The connection was closed instead. */
  failed(reason: string): void
}

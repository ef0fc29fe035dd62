/**
 * A span for each request, waits included, by OpenTelemetry's API: which requests are sampled, and where spans go, is the
 * matter of the tracer provider that the program registered.
 *
 *     Fetch   kind SERVER   messaging.client.id, network.peer.address, millrace.*   status ERROR by Kafka's name
 */
import { type Span, SpanKind, SpanStatusCode, trace, type Tracer } from "@opentelemetry/api"
import { ErrorCode, errorMessage, errorName } from "@millrace/protocol"
import type { RequestContext } from "../network/context.ts"
import { firstError } from "./first-error.ts"
import type { RequestSpan, RequestTracing } from "./tracing.ts"

export class OpenTelemetryTracing implements RequestTracing {
  readonly #tracer: Tracer = trace.getTracer("@millrace/broker")

  begin(api: string, context: RequestContext): RequestSpan {
    const { connection, clientId } = context
    const span = this.#tracer.startSpan(api, {
      kind: SpanKind.SERVER,
      root: true,
      attributes: {
        "messaging.system": "kafka",
        ...(clientId !== null && { "messaging.client.id": clientId }),
        "network.peer.address": connection.remote.host,
        "network.peer.port": connection.remote.port,
        "millrace.listener": context.listener,
        "millrace.principal": context.principal,
        "millrace.api.version": context.apiVersion,
        "millrace.request.bytes": context.requestBytes,
      },
    })
    return span.isRecording() ? new Recording(span) : UNSAMPLED
  }
}

const UNSAMPLED: RequestSpan = { answered: () => {}, failed: () => {} }

class Recording implements RequestSpan {
  readonly #span: Span

  constructor(span: Span) {
    this.#span = span
  }

  answered(answer: object | null, bytes: number, throttleMs: number): void {
    this.#span.setAttribute("millrace.response.bytes", bytes)
    if (throttleMs > 0) this.#span.setAttribute("millrace.throttle_ms", throttleMs)
    const error = answer === null ? ErrorCode.NONE : firstError(answer)
    if (error !== ErrorCode.NONE) this.#fail(errorName(error), errorMessage(error))
    this.#span.end()
  }

  failed(reason: string): void {
    this.#fail("connection closed", reason)
    this.#span.end()
  }

  #fail(type: string, message: string): void {
    this.#span.setAttribute("error.type", type)
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message })
  }
}

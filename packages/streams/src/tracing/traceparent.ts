/**
 * The trace that a record belongs to, as W3C Trace Context writes it into headers:
 *
 *     traceparent: 00-<trace id, 32 hex digits>-<id of the parent span, 16>-<flags, 2: bit 0 is "sampled">
 *     tracestate:  what vendors add; goes along unread
 */
import { type SpanContext, TraceFlags } from "@opentelemetry/api"
import type { Headers } from "../dsl/record.ts"

const TRACEPARENT = "traceparent"
const TRACESTATE = "tracestate"
const FORMAT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const ZEROES = /^0+$/

const isTrace = ({ key }: { readonly key: string }): boolean => key === TRACEPARENT || key === TRACESTATE

/** The headers that say it, when there are any. */
export function traceHeaders(headers: Headers): Headers | undefined {
  if (headers.length === 0) return undefined
  const found = headers.filter(isTrace)
  return found.some(({ key }) => key === TRACEPARENT) ? found : undefined
}

/** Undefined for what is not written as it should be: it goes along unread. Of several the last counts. */
export function parseTraceparent(headers: Headers): SpanContext | undefined {
  const value = headers.findLast(({ key }) => key === TRACEPARENT)?.value
  const match = value && FORMAT.exec(Buffer.from(value).toString("latin1"))
  if (!match) return undefined
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string]
  if (ZEROES.test(traceId) || ZEROES.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true }
}

/** The same trace, with another span as the parent of what follows. */
export function withParent(headers: Headers, { traceId, spanId, traceFlags }: SpanContext): Headers {
  const flags = traceFlags.toString(16).padStart(2, "0")
  const value = Buffer.from(`00-${traceId}-${spanId}-${flags}`)
  return [...headers.filter(({ key }) => key !== TRACEPARENT), { key: TRACEPARENT, value }]
}

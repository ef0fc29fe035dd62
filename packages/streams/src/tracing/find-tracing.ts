/**
 * Tracing, where the program registered a tracer provider before the run started. The API package leaves it under a symbol
 * of the global object, so that this needs not to load the package.
 */
import type { Tracing } from "./tracing.ts"

const API = Symbol.for("opentelemetry.js.api.1")

export async function findTracing(application: string, member: string): Promise<Tracing | undefined> {
  const api = (globalThis as { [API]?: { readonly trace?: unknown } })[API]
  if (api?.trace === undefined) return undefined
  const { Tracing } = await import("./tracing.ts")
  return new Tracing(application, member)
}

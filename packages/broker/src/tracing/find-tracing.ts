/**
 * Tracing, where the program registered a tracer provider before the broker starts. The API package leaves it under a
 * symbol of the global object, so that a broker that nobody traces needs not to load the package.
 */
import type { RequestTracing } from "./tracing.ts"

const API = Symbol.for("opentelemetry.js.api.1")

export async function findRequestTracing(): Promise<RequestTracing | undefined> {
  const api = (globalThis as { [API]?: { readonly trace?: unknown } })[API]
  if (api?.trace === undefined) return undefined
  const { OpenTelemetryTracing } = await import("./open-telemetry.ts")
  return new OpenTelemetryTracing()
}

/** Tracing, where the program registered a tracer provider before the broker starts; without one none of it is loaded. */
import { hasTracerProvider } from "@millrace/host"
import type { RequestTracing } from "./tracing.ts"

export async function findRequestTracing(): Promise<RequestTracing | undefined> {
  if (!hasTracerProvider()) return undefined
  const { OpenTelemetryTracing } = await import("./open-telemetry.ts")
  return new OpenTelemetryTracing()
}

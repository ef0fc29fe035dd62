/** Tracing, where the program registered a tracer provider before the run started; without one none of it is loaded. */
import { hasTracerProvider } from "@millrace/host"
import type { Tracing } from "./tracing.ts"

export async function findTracing(application: string, member: string): Promise<Tracing | undefined> {
  if (!hasTracerProvider()) return undefined
  const { Tracing } = await import("./tracing.ts")
  return new Tracing(application, member)
}

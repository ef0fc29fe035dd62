/**
 * Whether the program registered an OpenTelemetry tracer provider. The API package leaves it under a symbol of the global
 * object, so that whoever is not traced needs not to load the package.
 */
const API = Symbol.for("opentelemetry.js.api.1")

export function hasTracerProvider(): boolean {
  const api = (globalThis as { [API]?: { readonly trace?: unknown } })[API]
  return api?.trace !== undefined
}

/**
 * A registry in memory, and requests to it.
 */
import { MemoryStore, type RunningRegistry, serveRegistry } from "../src/index.ts"

export interface Answer {
  readonly status: number
  readonly body: any
  readonly contentType: string | null
}

export class Api {
  readonly running: RunningRegistry
  readonly store: MemoryStore
  private constructor(running: RunningRegistry, store: MemoryStore) {
    this.running = running
    this.store = store
  }
  static async start(config: Record<string, string> = {}, store = new MemoryStore()): Promise<Api> {
    return new Api(await serveRegistry({ store, listen: { host: "127.0.0.1", port: 0 }, config }), store)
  }
  close(): Promise<void> {
    return this.running.close()
  }
  /** `call("POST /subjects/a", body)` */
  async call(line: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const [method = "GET", path = "/"] = line.split(" ")
    const init: RequestInit = { method, headers: { "Content-Type": "application/json", ...headers } }
    if (body !== undefined) init.body = typeof body === "string" ? body : JSON.stringify(body)
    const response = await fetch(`${this.running.url}${path}`, init)
    const text = await response.text()
    const contentType = response.headers.get("content-type")
    let json: unknown = text
    try {
      json = JSON.parse(text)
    } catch {
      // A schema's text.
    }
    return { status: response.status, body: json, contentType }
  }
  register(subject: string, schema: unknown, more: object = {}): Promise<Answer> {
    return this.call(`POST /subjects/${encodeURIComponent(subject)}/versions`, { schema: textOf(schema), ...more })
  }
}

export const textOf = (schema: unknown): string => (typeof schema === "string" ? schema : JSON.stringify(schema))

/** A record with these fields; a name with `?` has a default. */
export const record = (...fields: string[]) => ({
  type: "record",
  name: "Order",
  fields: fields.map((field) =>
    field.endsWith("?") ? { name: field.slice(0, -1), type: "string", default: "" } : { name: field, type: "string" },
  ),
})

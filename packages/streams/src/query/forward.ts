/**
 * Asks another process of the application, over the same HTTP. It answers for itself alone (`local=true`), so that no
 * question goes in circles while partitions move.
 */
import type { Clock } from "@millrace/host"
import type { HttpAnswer, HttpRequest } from "@millrace/host/node/http"

const FORWARD_TIMEOUT_MS = 5_000

export type Fetch = (url: string, init: { readonly signal: AbortSignal }) => Promise<Response>

export class Forwarder {
  readonly #clock: Clock
  readonly #fetch: Fetch

  constructor(clock: Clock, fetch: Fetch) {
    this.#clock = clock
    this.#fetch = fetch
  }

  async forward(endpoint: string, { path, query }: HttpRequest): Promise<HttpAnswer> {
    const asked = new URLSearchParams(query)
    asked.set("local", "true")
    const aborter = new AbortController()
    const timer = this.#clock.setTimer(FORWARD_TIMEOUT_MS, () =>
      aborter.abort(new Error(`no answer within ${FORWARD_TIMEOUT_MS} ms`)),
    )
    const headers = { "Content-Type": "application/json" }
    try {
      const response = await this.#fetch(`http://${endpoint}${path}?${asked}`, { signal: aborter.signal })
      return { status: response.status, body: await response.text(), headers }
    } catch (cause) {
      const message = `${endpoint} has it and does not answer: ${cause instanceof Error ? reasonOf(cause) : String(cause)}`
      return { status: 502, body: JSON.stringify({ error: "NOT_PRESENT", message }), headers }
    } finally {
      timer.cancel()
    }
  }
}

const reasonOf = (error: Error): string => (error.cause instanceof Error ? error.cause.message : error.message)

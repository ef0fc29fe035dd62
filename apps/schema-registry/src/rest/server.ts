/**
 * The HTTP face: the table of routes on the host's small server.
 *
 * Content types are the registry's own; an answer has the one that the request prefers. A write goes to the leader; where
 * that is another registry the request is sent on to it, once.
 */
import type { Address } from "@millrace/host"
import { type HttpAnswer, HttpError, type HttpRequest, type HttpServer, serveHttp } from "@millrace/host/node/http"
import { Refusal, RefusalCode } from "../core/refusal.ts"
import type { Leadership } from "../leader.ts"
import type { Registry } from "../registry.ts"
import type { Route, RouteRequest } from "./route.ts"

export const CONTENT_TYPES = [
  "application/vnd.schemaregistry.v1+json",
  "application/vnd.schemaregistry+json",
  "application/json",
] as const
const [CONTENT_TYPE] = CONTENT_TYPES
const FORWARDED = "x-forward"

export interface ServerOptions {
  readonly registry: Registry
  readonly routes: readonly Route[]
  readonly leadership: Leadership
  readonly bodyBytesMax: number
  /** Sends a request on to another registry. */
  readonly fetch: typeof globalThis.fetch
}

export function serve(address: Address, options: ServerOptions): Promise<HttpServer> {
  return serveHttp(address, {
    contentType: CONTENT_TYPE,
    bodyBytesMax: options.bodyBytesMax,
    failure,
    routes: options.routes.map((route) => ({
      method: route.method,
      path: route.path,
      handle: (request) => handle(route, request, options),
    })),
  })
}

async function handle(route: Route, request: HttpRequest, options: ServerOptions): Promise<HttpAnswer> {
  const headers = { "Content-Type": preferred(request.headers.accept) }
  const routed: RouteRequest = { params: request.params, query: request.query, body: bodyOf(request) }
  const { registry } = options
  if (!route.writes) return { status: 200, body: asJson(registry.read((core) => route.decide(core, routed))), headers }
  const leader = options.leadership.leader()
  if (!leader) throw new Refusal(RefusalCode.UNKNOWN_LEADER, "No leader is elected yet: try again")
  if (!leader.self) return await forward(leader.url, request, options)
  return { status: 200, body: asJson(await registry.write((core) => route.decide(core, routed))), headers }
}

/** A string answer is JSON too where it is a schema's text: the API answers that text as it is. */
const asJson = (value: unknown): unknown => (typeof value === "number" ? JSON.stringify(value) : value)

function bodyOf(request: HttpRequest): Record<string, unknown> {
  const json = request.method === "GET" ? undefined : request.json()
  if (json === undefined) return {}
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new HttpError(400, "the request body is not a JSON object")
  }
  return json as Record<string, unknown>
}

function preferred(accept: string | string[] | undefined): string {
  const accepted = String(accept ?? "")
    .split(",")
    .map((one) => one.split(";")[0]!.trim())
  return CONTENT_TYPES.find((type) => accepted.includes(type)) ?? CONTENT_TYPE
}

async function forward(url: string, request: HttpRequest, options: ServerOptions): Promise<HttpAnswer> {
  if (request.headers[FORWARDED] !== undefined) {
    throw new Refusal(RefusalCode.UNKNOWN_LEADER, "The leader has changed: try again")
  }
  const query = request.query.size > 0 ? `?${request.query}` : ""
  try {
    const response = await options.fetch(`${url}${request.path}${query}`, {
      method: request.method,
      headers: { "Content-Type": CONTENT_TYPE, Accept: CONTENT_TYPE, [FORWARDED]: "true" },
      ...(request.body.length > 0 ? { body: request.body as Uint8Array<ArrayBuffer> } : {}),
    })
    const headers = { "Content-Type": response.headers.get("content-type") ?? CONTENT_TYPE }
    return { status: response.status, body: new Uint8Array(await response.arrayBuffer()), headers }
  } catch (cause) {
    throw new Refusal(RefusalCode.FORWARDING_FAILED, `The leader at ${url} does not answer: ${String(cause)}`)
  }
}

function failure(error: unknown): HttpAnswer {
  if (error instanceof Refusal) {
    return { status: error.status, body: { error_code: error.code, message: error.message } }
  }
  if (error instanceof HttpError) {
    return { status: error.status, body: { error_code: error.status, message: error.message } }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { status: 500, body: { error_code: 500, message: `Internal error: ${message}` } }
}

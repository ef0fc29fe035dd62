/**
 * A small HTTP server for the REST shells: a table of routes, JSON bodies, keep-alive, an orderly end.
 *
 * A route's path is literal segments and `:name` segments; each segment is percent-decoded after the split, so that a
 * name may hold a slash. The table is searched in order, literal segments win by being listed first. Handlers answer
 * with plain values; whatever they throw goes to `failure`, which is where an application maps its errors to statuses.
 * Bodies are limited. `close` stops accepting, lets requests in progress end and drops idle connections.
 */
import * as http from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { type Address, formatAddress, NetError } from "../net.ts"

export type HttpMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS"

export interface HttpRequest {
  readonly method: HttpMethod
  /** The path as sent, without the query. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array
  /** The body as JSON; undefined when it is empty. Throws an HttpError of status 400 when it does not parse. */
  json(): unknown
}

/** `body` is sent as JSON, or as it is when it is a string or bytes; no body when it is undefined. */
export interface HttpAnswer {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface HttpRoute {
  readonly method: HttpMethod
  readonly path: string
  handle(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>
}

export interface HttpOptions {
  readonly routes: readonly HttpRoute[]
  /** Turns what a handler threw, or the server itself refused (an `HttpError`), into an answer. */
  failure(error: unknown): HttpAnswer
  /** Content type of JSON answers. */
  readonly contentType?: string
  readonly bodyBytesMax?: number
}

export interface HttpServer {
  readonly address: Address
  close(): Promise<void>
}

/** A refusal with a status, raised by the server (no route, bad JSON, too large) or by a handler. */
export class HttpError extends Error {
  override readonly name = "HttpError"
  readonly status: number
  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause })
    this.status = status
  }
}

const BODY_BYTES_MAX = 16 * 1024 * 1024
const JSON_TYPE = "application/json"

export function serveHttp(address: Address, options: HttpOptions): Promise<HttpServer> {
  const routes = options.routes.map((route) => ({ route, segments: route.path.split("/") }))
  const server = http.createServer((incoming, outgoing) => {
    answer(routes, incoming, options).then(
      (result) => send(incoming, outgoing, result, options.contentType ?? JSON_TYPE),
      (error: unknown) => outgoing.destroy(error instanceof Error ? error : undefined),
    )
  })
  const idle = trackIdle(server)
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === "EADDRINUSE" ? "the port is in use" : cause.message
      reject(
        new NetError(cause.code ?? "OTHER", address, `cannot listen on ${formatAddress(address)}: ${reason}`, cause),
      )
    })
    server.listen({ host: address.host, port: address.port }, () => {
      const bound = server.address() as AddressInfo
      server.removeAllListeners("error")
      resolve({
        address: { host: address.host, port: bound.port },
        close: () =>
          new Promise<void>((done) => {
            server.close(() => done())
            idle.end()
          }),
      })
    })
  })
}

type CompiledRoute = { readonly route: HttpRoute; readonly segments: readonly string[] }

async function answer(
  routes: readonly CompiledRoute[],
  incoming: http.IncomingMessage,
  options: HttpOptions,
): Promise<HttpAnswer> {
  try {
    const url = incoming.url ?? "/"
    const queryAt = url.indexOf("?")
    const path = queryAt < 0 ? url : url.slice(0, queryAt)
    const method = (incoming.method ?? "GET") as HttpMethod
    const found = find(routes, method, path)
    const body = await readBody(incoming, options.bodyBytesMax ?? BODY_BYTES_MAX)
    return await found.route.handle({
      method,
      path,
      params: found.params,
      query: new URLSearchParams(queryAt < 0 ? "" : url.slice(queryAt + 1)),
      headers: incoming.headers,
      body,
      json: () => parseJson(body),
    })
  } catch (error) {
    return options.failure(error)
  }
}

function find(routes: readonly CompiledRoute[], method: HttpMethod, path: string) {
  const segments = splitPath(path)
  let pathKnown = false
  for (const { route, segments: pattern } of routes) {
    const params = match(pattern, segments)
    if (!params) continue
    pathKnown = true
    if (route.method === method || (method === "HEAD" && route.method === "GET")) return { route, params }
  }
  throw pathKnown ? new HttpError(405, `HTTP 405 Method Not Allowed`) : new HttpError(404, `HTTP 404 Not Found`)
}

function splitPath(path: string): string[] {
  const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
  try {
    return trimmed.split("/").map(decodeURIComponent)
  } catch (cause) {
    throw new HttpError(400, `the path ${path} is not percent-encoded UTF-8`, cause)
  }
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, expected] of pattern.entries()) {
    const found = segments[index]!
    if (expected.startsWith(":")) params[expected.slice(1)] = found
    else if (expected !== found) return undefined
  }
  return params
}

function readBody(incoming: http.IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length
      if (length <= bytesMax) chunks.push(chunk)
      else {
        incoming.removeAllListeners("data")
        incoming.resume()
        reject(new HttpError(413, `the request body is larger than ${bytesMax} bytes`))
      }
    })
    incoming.on("end", () => resolve(Buffer.concat(chunks)))
    incoming.on("error", reject)
  })
}

function parseJson(body: Uint8Array): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"))
  } catch (cause) {
    throw new HttpError(400, `the request body is not JSON: ${(cause as Error).message}`, cause)
  }
}

function send(
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
  result: HttpAnswer,
  contentType: string,
): void {
  const { body } = result
  const raw = typeof body === "string" || body instanceof Uint8Array
  const bytes = body === undefined ? undefined : raw ? Buffer.from(body as string) : Buffer.from(JSON.stringify(body))
  const headers: Record<string, string | number> = { ...result.headers }
  if (bytes) {
    headers["Content-Type"] ??= contentType
    headers["Content-Length"] = bytes.length
  } else if (result.status !== 204) headers["Content-Length"] = 0
  outgoing.writeHead(result.status, headers)
  outgoing.end(incoming.method === "HEAD" ? undefined : bytes)
}

/** Ends connections without a request in progress at once, the others after their answer. */
function trackIdle(server: http.Server) {
  const busy = new Map<Socket, number>()
  let ending = false
  server.on("connection", (socket: Socket) => {
    busy.set(socket, 0)
    socket.on("close", () => busy.delete(socket))
  })
  server.on("request", (incoming: http.IncomingMessage, outgoing: http.ServerResponse) => {
    const { socket } = incoming
    busy.set(socket, (busy.get(socket) ?? 0) + 1)
    if (ending) outgoing.setHeader("Connection", "close")
    outgoing.on("close", () => {
      const count = (busy.get(socket) ?? 1) - 1
      if (busy.has(socket)) busy.set(socket, count)
      if (ending && count === 0) socket.end()
    })
  })
  return {
    end() {
      ending = true
      for (const [socket, count] of busy) if (count === 0) socket.end()
    },
  }
}

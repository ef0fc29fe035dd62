/**
 * The HTTP server of one running application: queries and metrics. It listens before the group is joined, since the
 * others are told its address with that, and answers 503 until there is something to ask.
 *
 * It knows no users and no encryption: it listens on loopback unless told otherwise.
 */
import { type Address, formatAddress, parseAddress } from "@millrace/host"
import { type HttpAnswer, HttpError, type HttpRoute, type HttpServer, serveHttp } from "@millrace/host/node/http"
import { SerdeError } from "@millrace/schema"
import { PipelineError, StateError } from "../errors.ts"
import { UnknownStore } from "./stores.ts"

export interface QueriesListen {
  /** HOST:PORT; port 0 takes a free one. */
  readonly listen: string
  /** HOST:PORT under which the other processes reach this one, where it is not `listen`. */
  readonly advertised?: string
}

const ANY_HOST: ReadonlySet<string> = new Set(["0.0.0.0", "::"])

export class QueryServer {
  readonly endpoint: string
  readonly #server: HttpServer
  readonly #routes: HttpRoute[]

  private constructor(server: HttpServer, routes: HttpRoute[], endpoint: string) {
    this.#server = server
    this.#routes = routes
    this.endpoint = endpoint
  }

  static async start({ listen, advertised }: QueriesListen): Promise<QueryServer> {
    const address = addressOf("queries.listen", listen)
    if (advertised !== undefined) addressOf("queries.advertised", advertised)
    if (advertised === undefined && ANY_HOST.has(address.host)) {
      throw new PipelineError(`queries.listen ${listen} is no address to reach it by: set queries.advertised too`)
    }
    const routes: HttpRoute[] = []
    const server = await serveHttp(address, {
      routes: PATHS.map((path) => ({
        method: "GET",
        path,
        handle: (request) => {
          const route = routes.find((one) => one.path === path)
          if (route === undefined) throw new HttpError(503, "the application is starting")
          return route.handle(request)
        },
      })),
      failure: failureAnswer,
    })
    return new QueryServer(server, routes, advertised ?? formatAddress(server.address))
  }

  /** From now on these answer. */
  serve(routes: readonly HttpRoute[]): void {
    this.#routes.push(...routes)
  }

  async close(): Promise<void> {
    await this.#server.close()
  }
}

const PATHS = ["/", "/metrics", "/lags", "/stores", "/stores/:name", "/stores/:name/:key"]

function addressOf(what: string, text: string): Address {
  const address = parseAddress(text)
  if (address === undefined) throw new PipelineError(`${what} ${text}: expected HOST:PORT, such as 127.0.0.1:0`)
  return address
}

function failureAnswer(error: unknown): HttpAnswer {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof HttpError) return { status: error.status, body: { error: "HTTP", message } }
  if (error instanceof UnknownStore) return { status: 404, body: { error: "UNKNOWN_STORE", message } }
  if (error instanceof PipelineError || error instanceof SerdeError)
    return { status: 400, body: { error: "BAD_REQUEST", message } }
  return { status: error instanceof StateError ? 503 : 500, body: { error: "STORE_EXCEPTION", message } }
}

/**
 * Kafka Connect's REST API over HTTP.
 */
import type { Address } from "@millrace/host"
import { type HttpRoute, type HttpServer, serveHttp } from "@millrace/host/node/http"
import type { Standalone } from "../runtime/standalone.ts"
import { connectorRoutes } from "./connectors.ts"
import { failure } from "./failure.ts"
import { offsetRoutes } from "./offsets.ts"
import { pluginRoutes } from "./plugins.ts"

export const routes = (worker: Standalone): HttpRoute[] => [
  { method: "GET", path: "/", handle: async () => ({ status: 200, body: await worker.describe() }) },
  { method: "GET", path: "/health", handle: () => ({ status: 200, body: worker.health() }) },
  ...connectorRoutes(worker),
  ...offsetRoutes(worker),
  ...pluginRoutes(worker),
]

export const serveRest = (worker: Standalone, listen: Address): Promise<HttpServer> =>
  serveHttp(listen, { routes: routes(worker), failure })

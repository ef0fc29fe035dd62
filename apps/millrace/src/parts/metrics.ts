/**
 * Figures for Prometheus at /metrics, those of the process among them, and whether it is alive and ready at /health and
 * /ready, for whoever starts and restarts it.
 */
import { type Address, formatAddress } from "@millrace/host"
import { HttpError, serveHttp } from "@millrace/host/node/http"
import { PROMETHEUS_TYPE } from "@millrace/metrics"
import type { Part } from "../serve.ts"
import { processText } from "./process-metrics.ts"

export interface Watched {
  /** Prometheus' text, without the process's own figures. */
  metrics(): string | Promise<string>
  /** Why nobody should rely on the process now; undefined when it is ready. */
  problem(): string | undefined | Promise<string | undefined>
}

export async function startMetrics(listen: Address, { metrics, problem }: Watched): Promise<Part> {
  const server = await serveHttp(listen, {
    routes: [
      {
        method: "GET",
        path: "/metrics",
        handle: async () => {
          const body = (await metrics()) + processText()
          return { status: 200, body, headers: { "Content-Type": PROMETHEUS_TYPE } }
        },
      },
      { method: "GET", path: "/health", handle: () => ({ status: 200, body: { status: "UP" } }) },
      {
        method: "GET",
        path: "/ready",
        handle: async () => {
          const reason = await problem()
          return reason === undefined
            ? { status: 200, body: { status: "READY" } }
            : { status: 503, body: { status: "NOT_READY", reason } }
        },
      },
    ],
    failure: (error) => ({
      status: error instanceof HttpError ? error.status : 500,
      body: { message: error instanceof Error ? error.message : String(error) },
    }),
  })
  return { label: "metrics", at: `http://${formatAddress(server.address)}/metrics`, close: () => server.close() }
}

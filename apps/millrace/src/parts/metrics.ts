/**
 * The metrics of all pipelines of a process, for Prometheus to scrape at /metrics.
 */
import { type Address, formatAddress } from "@millrace/host"
import { HttpError, serveHttp } from "@millrace/host/node/http"
import { PROMETHEUS_TYPE, prometheusText, type Running } from "@millrace/streams"
import type { Part } from "../serve.ts"

export async function startMetrics(listen: Address, handles: readonly Running[]): Promise<Part> {
  const server = await serveHttp(listen, {
    routes: [
      {
        method: "GET",
        path: "/metrics",
        handle: () => ({
          status: 200,
          body: prometheusText(new Map(handles.map((handle) => [handle.applicationId, handle.metrics()]))),
          headers: { "Content-Type": PROMETHEUS_TYPE },
        }),
      },
    ],
    failure: (error) => ({
      status: error instanceof HttpError ? error.status : 500,
      body: { message: error instanceof Error ? error.message : String(error) },
    }),
  })
  return { label: "metrics", at: `http://${formatAddress(server.address)}/metrics`, close: () => server.close() }
}

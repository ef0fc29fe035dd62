/**
 * What every client takes, with defaults. Names are Kafka's in camel case.
 */
import { type Address, type Clock, type Net, parseAddress, type Random } from "@millrace/host"
import type { ClientSecurity } from "./security/options.ts"

/** The ports a client needs: a `Host` is one. */
export interface ClientHost {
  readonly clock: Clock
  readonly random: Random
  readonly net: Net
}

export interface ClientOptions {
  readonly host: ClientHost
  /** Bootstrap brokers: `host:port`, several separated by commas, or addresses. */
  readonly brokers: string | readonly string[] | readonly Address[]
  readonly clientId?: string
  /** Another network than the host's: the in-memory one, say. */
  readonly net?: Net
  /** TLS and SASL; default none. `@millrace/client/security` makes it of Kafka's settings. */
  readonly security?: ClientSecurity
  readonly requestTimeoutMs?: number
  readonly connectTimeoutMs?: number
  readonly reconnectBackoffMs?: number
  readonly reconnectBackoffMaxMs?: number
  readonly retryBackoffMs?: number
  readonly retryBackoffMaxMs?: number
  /** How long a call that asks the cluster something goes on trying. */
  readonly defaultApiTimeoutMs?: number
  readonly metadataMaxAgeMs?: number
  /** The largest answer accepted. */
  readonly maxResponseBytes?: number
  /** Requests that may be unanswered on one connection; more wait. */
  readonly maxInFlightRequestsPerConnection?: number
  readonly clientRack?: string
  /** Whether the client pushes metrics of its own to a cluster that asks for some (KIP-714); default true. */
  readonly enableMetricsPush?: boolean
}

export interface ClientEnv extends Required<Omit<ClientOptions, "host" | "brokers" | "net">> {
  readonly clock: Clock
  readonly random: Random
  readonly net: Net
  readonly bootstrap: readonly Address[]
}

export function resolveOptions(options: ClientOptions): ClientEnv {
  const { host } = options
  return {
    clock: host.clock,
    random: host.random,
    net: options.net ?? host.net,
    bootstrap: bootstrapAddresses(options.brokers),
    security: options.security ?? {},
    clientId: options.clientId ?? "millrace",
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    reconnectBackoffMs: options.reconnectBackoffMs ?? 50,
    reconnectBackoffMaxMs: options.reconnectBackoffMaxMs ?? 1_000,
    retryBackoffMs: options.retryBackoffMs ?? 50,
    retryBackoffMaxMs: options.retryBackoffMaxMs ?? 1_000,
    defaultApiTimeoutMs: options.defaultApiTimeoutMs ?? 60_000,
    metadataMaxAgeMs: options.metadataMaxAgeMs ?? 300_000,
    maxResponseBytes: options.maxResponseBytes ?? 256 * 1024 * 1024,
    maxInFlightRequestsPerConnection: options.maxInFlightRequestsPerConnection ?? 100,
    clientRack: options.clientRack ?? "",
    enableMetricsPush: options.enableMetricsPush ?? true,
  }
}

function bootstrapAddresses(brokers: ClientOptions["brokers"]): Address[] {
  const list = typeof brokers === "string" ? brokers.split(",") : brokers
  const addresses = list.map((item) => {
    if (typeof item !== "string") return item
    const address = parseAddress(item)
    if (!address) throw new TypeError(`brokers: ${JSON.stringify(item)} is not host:port`)
    return address
  })
  if (addresses.length === 0) throw new TypeError("brokers: at least one host:port is needed")
  return addresses
}

/**
 * Starts a Connect worker on a cluster.
 */
import { type Admin, type ClientSecurity, KafkaClient } from "@millrace/client"
import { parse } from "@millrace/config"
import { type Address, formatAddress, type Host, type Net } from "@millrace/host"
import type { HttpServer } from "@millrace/host/node/http"
import { type Registry, RegistryClient } from "@millrace/schema"
import { Plugins } from "./config/plugins.ts"
import type { WorkerDefaults } from "./config/resolve.ts"
import { workerConfig } from "./config/worker-config.ts"
import type { ConnectorDefinition } from "./connector.ts"
import type { ConverterDefinition } from "./converter/converter.ts"
import { standardConverters } from "./converter/standard.ts"
import { type Log, silent } from "./log.ts"
import { ConnectorOffsets } from "./runtime/connector-offsets.ts"
import type { ConnectorConfig } from "./runtime/herder.ts"
import { Standalone } from "./runtime/standalone.ts"
import { Worker } from "./runtime/worker.ts"
import { type ConfigStore, memoryConfigStore } from "./store/config-store.ts"
import { kafkaConfigStore } from "./store/kafka-config-store.ts"
import { SourceOffsets } from "./store/source-offsets.ts"
import { Topics } from "./store/topics.ts"

export interface ConnectOptions {
  readonly host: Host
  readonly brokers: string | readonly string[] | readonly Address[]
  /** TLS and SASL towards the brokers; default none. */
  readonly security?: ClientSecurity
  /** Another network to the brokers than the host's: the in-memory one, say. */
  readonly net?: Net
  /** The registry of converters that name none; `schema.registry.url` in `config` otherwise. */
  readonly registryUrl?: string
  /** Where the REST API listens; nowhere when left out. */
  readonly listen?: Address
  /** The worker's settings by Kafka Connect's names. */
  readonly config?: Readonly<Record<string, string>>
  readonly connectors: readonly ConnectorDefinition[]
  readonly converters?: readonly ConverterDefinition[]
  /** Connectors to run from the start, by name; they replace stored ones of the same name. */
  readonly connectorConfigs?: Readonly<Record<string, ConnectorConfig>>
  /** Where configurations are kept: `memory` forgets them, `kafka` keeps them in config.storage.topic. */
  readonly store?: "memory" | "kafka" | ConfigStore
  readonly log?: Log
}

export interface Connect {
  /** Of the REST API; empty when it does not listen. */
  readonly url: string
  readonly worker: Standalone
  /** The status of every connector, as the REST API gives it. */
  status(): Readonly<Record<string, ReturnType<Standalone["status"]>>>
  close(): Promise<void>
}

export async function startConnect(options: ConnectOptions): Promise<Connect> {
  const { host } = options
  const defaults = workerDefaults(options)
  const log = options.log ?? silent
  const client = new KafkaClient({
    host,
    brokers: options.brokers,
    clientId: `connect-${defaults.values["group.id"]}`,
    ...(options.net && { net: options.net }),
    ...(options.security && { security: options.security }),
  })
  const closers: (() => Promise<void>)[] = [() => client.close()]
  try {
    const admin = client.admin()
    const topics = new Topics(admin)
    const offsets = await SourceOffsets.open(client, admin, host.clock, defaults.values, topics)
    closers.push(() => offsets.close())
    const store = await openStore(options, client, admin, defaults, topics)
    const plugins = new Plugins(options.connectors, options.converters ?? standardConverters)
    const usedTopics = new Map<string, Set<string>>()
    const worker = new Worker({
      host,
      client,
      defaults,
      plugins,
      offsets,
      topics,
      log,
      registry: registries(defaults.values["schema.registry.url"]),
      usedTopic: (connector, topic) => {
        usedTopics.set(connector, (usedTopics.get(connector) ?? new Set()).add(topic))
      },
    })
    let workerId = "standalone"
    const connectorOffsets = new ConnectorOffsets(client, admin, offsets)
    const standalone = new Standalone({
      admin,
      worker,
      plugins,
      store,
      connectorOffsets,
      usedTopics,
      workerId: () => workerId,
    })
    closers.push(() => standalone.close())
    const server = options.listen && (await listen(standalone, options.listen))
    if (server) {
      closers.push(() => server.close())
      workerId = formatAddress(server.address)
    }
    await standalone.start(options.connectorConfigs ?? {})
    return {
      url: server ? `http://${workerId}` : "",
      worker: standalone,
      status: () => Object.fromEntries(standalone.names().map((name) => [name, standalone.status(name)])),
      close: () => closeAll(closers),
    }
  } catch (error) {
    await closeAll(closers).catch(() => undefined)
    throw error
  }
}

function workerDefaults(options: ConnectOptions): WorkerDefaults {
  const settings = {
    ...(options.registryUrl !== undefined && { "schema.registry.url": options.registryUrl }),
    ...options.config,
  }
  // Converters' settings and those of Kafka's workers that do not apply to one process are passed by.
  return { settings, values: parse(workerConfig, settings, { unknown: "ignore" }) }
}

function openStore(
  options: ConnectOptions,
  client: KafkaClient,
  admin: Admin,
  defaults: WorkerDefaults,
  topics: Topics,
): Promise<ConfigStore> {
  const { store = "memory", host } = options
  if (store === "memory") return Promise.resolve(memoryConfigStore())
  return store === "kafka"
    ? kafkaConfigStore(client, admin, host.clock, defaults.values, topics)
    : Promise.resolve(store)
}

/** One client for each registry. */
function registries(defaultUrl: string | null): (url: string | null) => Registry {
  const clients = new Map<string, Registry>()
  return (given) => {
    const url = given ?? defaultUrl
    if (url === null) {
      throw new Error("a converter needs a schema registry: set its schema.registry.url, or the worker's")
    }
    const client = clients.get(url) ?? new RegistryClient({ url })
    clients.set(url, client)
    return client
  }
}

/** The HTTP shell is loaded only where it is wanted. */
async function listen(standalone: Standalone, address: Address): Promise<HttpServer> {
  const { serveRest } = await import("./rest/server.ts")
  return serveRest(standalone, address)
}

/** Last opened, first closed; all of them, whatever one throws. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  let failure: { readonly error: unknown } | undefined
  for (const close of closers.toReversed()) {
    try {
      await close()
    } catch (error) {
      failure ??= { error }
    }
  }
  if (failure) throw failure.error
}

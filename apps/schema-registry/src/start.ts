/**
 * The composition root: a registry over a Kafka cluster, answering HTTP.
 */
import { parse } from "@millrace/config"
import { type ClientSecurity, KafkaClient } from "@millrace/client"
import { type Address, formatAddress, type Host } from "@millrace/host"
import { registryConfig } from "./config.ts"
import { alone, type Leadership } from "./leader.ts"
import { Registry } from "./registry.ts"
import { routes } from "./rest/routes.ts"
import { serve } from "./rest/server.ts"
import { KafkaStore } from "./store/kafka.ts"
import type { RegistryStore } from "./store/store.ts"
import { VERSION } from "./version.ts"

export interface StartOptions extends Omit<ServeOptions, "store"> {
  readonly host: Pick<Host, "clock" | "random" | "net">
  /** Bootstrap brokers; or a client, which stays its owner's. */
  readonly brokers?: string | readonly string[] | readonly Address[]
  readonly client?: KafkaClient
  /** TLS and SASL towards the brokers; default none. */
  readonly security?: ClientSecurity
  /** Told of what goes wrong and is waited out. Default: a line to stderr. */
  readonly warn?: (message: string) => void
}

/** A registry that keeps its schemas in a topic of a Kafka cluster. */
export async function startRegistry(options: StartOptions): Promise<RunningRegistry> {
  const { host, brokers } = options
  const config = parse(registryConfig, options.config ?? {})
  if (!options.client && !brokers) throw new TypeError("startRegistry: brokers or a client is needed")
  const security = options.security ?? {}
  const client = options.client ?? new KafkaClient({ host, brokers: brokers!, security, clientId: "schema-registry" })
  const store = new KafkaStore({
    client,
    clock: host.clock,
    topic: config["kafkastore.topic"],
    replicationFactor: config["kafkastore.topic.replication.factor"],
    initTimeoutMs: config["kafkastore.init.timeout.ms"],
    timeoutMs: config["kafkastore.timeout.ms"],
    warn: options.warn ?? ((message) => console.error(`schema registry: ${message}`)),
  })
  const closeClient = async () => {
    await store.close()
    if (!options.client) await client.close()
  }
  try {
    const running = await serveRegistry({ ...options, store })
    return {
      ...running,
      async close() {
        await running.close()
        await closeClient()
      },
    }
  } catch (cause) {
    await closeClient()
    throw cause
  }
}

export interface ServeOptions {
  readonly store: RegistryStore
  /** Port 0 picks a free one. */
  readonly listen: Address
  /** Settings by name, as text: see `registryConfig`. */
  readonly config?: Readonly<Record<string, string>>
  readonly leadership?: Leadership
  /** Sends writes on to the leader. */
  readonly fetch?: typeof globalThis.fetch
}

export interface RunningRegistry {
  readonly address: Address
  /** `http://127.0.0.1:8081` */
  readonly url: string
  readonly registry: Registry
  close(): Promise<void>
}

/** A request holds a schema and a little more: escapes double a text at worst. */
const BODY_FACTOR = 4

/** Resolves when every record of the store has been read and the port listens. */
export async function serveRegistry(options: ServeOptions): Promise<RunningRegistry> {
  const config = parse(registryConfig, options.config ?? {})
  const registry = await Registry.open(options.store, config)
  const leadership = options.leadership ?? alone
  try {
    const server = await serve(options.listen, {
      registry,
      leadership,
      routes: routes(() => ({ version: VERSION, clusterId: registry.clusterId, groupId: "schema-registry" })),
      bodyBytesMax: config["schema.bytes.max"] * BODY_FACTOR,
      fetch: options.fetch ?? globalThis.fetch,
    })
    return {
      address: server.address,
      url: `http://${formatAddress(server.address)}`,
      registry,
      async close() {
        await server.close()
        await leadership.close()
        await registry.close()
      },
    }
  } catch (cause) {
    await registry.close()
    throw cause
  }
}

/**
 * The composition root: a registry over a Kafka cluster, answering HTTP.
 */
import { parse } from "@millrace/config"
import { type Address, formatAddress } from "@millrace/host"
import { registryConfig } from "./config.ts"
import { alone, type Leadership } from "./leader.ts"
import { Registry } from "./registry.ts"
import { routes } from "./rest/routes.ts"
import { serve } from "./rest/server.ts"
import type { RegistryStore } from "./store/store.ts"
import { VERSION } from "./version.ts"

export interface RegistryOptions {
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
export async function serveRegistry(options: RegistryOptions): Promise<RunningRegistry> {
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

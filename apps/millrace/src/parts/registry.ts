import type { ClientSecurity } from "@millrace/client"
import { parse } from "@millrace/config"
import type { Address } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import type { Part } from "../serve.ts"
import { type Given, readSettings } from "./config-file.ts"

export async function registrySettings(given: Given): Promise<Record<string, string>> {
  const { registryConfig } = await import("@millrace/schema-registry")
  return readSettings(given, (config) => parse(registryConfig, config))
}

/** The schema registry as a part of a process. */
export async function startRegistryServer(options: {
  readonly brokers: string
  readonly security?: ClientSecurity
  readonly listen: Address
  readonly config: Readonly<Record<string, string>>
}): Promise<Part> {
  const { startRegistry } = await import("@millrace/schema-registry")
  const registry = await startRegistry({ host: nodeHost, ...options })
  return { label: "registry", at: registry.url, close: () => registry.close() }
}

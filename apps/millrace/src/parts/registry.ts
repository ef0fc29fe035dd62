import type { Address } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import type { Part } from "../serve.ts"

/** The schema registry as a part of a process. */
export async function startRegistryServer(options: {
  readonly brokers: string
  readonly listen: Address
  readonly config: Readonly<Record<string, string>>
}): Promise<Part> {
  const { startRegistry } = await import("@millrace/schema-registry")
  const registry = await startRegistry({ host: nodeHost, ...options })
  return { label: "registry", at: registry.url, close: () => registry.close() }
}

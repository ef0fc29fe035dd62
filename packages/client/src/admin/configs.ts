/**
 * Configs of topics and brokers (KIP-133, KIP-339).
 */
import { ErrorCode } from "@millrace/protocol"
import { DescribeConfigs } from "@millrace/protocol/messages/describe-configs"
import { IncrementalAlterConfigs } from "@millrace/protocol/messages/incremental-alter-configs"
import type { Cluster } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import { retrying } from "../network/retry.ts"

const RESOURCE_TYPES = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const
const OPERATIONS = { set: 0, delete: 1, append: 2, subtract: 3 } as const
const SOURCES = [
  "unknown",
  "topic",
  "dynamicBroker",
  "dynamicDefaultBroker",
  "staticBroker",
  "default",
  "dynamicBrokerLogger",
  "clientMetrics",
  "group",
] as const

export interface ConfigResource {
  readonly type: keyof typeof RESOURCE_TYPES
  /** Topic name, or node id as text. */
  readonly name: string
}

export interface ConfigEntry {
  readonly name: string
  /** Null when the broker keeps it secret. */
  readonly value: string | null
  readonly source: (typeof SOURCES)[number]
  readonly readOnly: boolean
  readonly sensitive: boolean
}

export interface ConfigChange {
  readonly name: string
  readonly operation: keyof typeof OPERATIONS
  readonly value?: string | null
}

/** Configs per resource, in the order asked; `keys` limits which. */
export function describeConfigs(
  cluster: Cluster,
  resources: readonly (ConfigResource & { readonly keys?: readonly string[] })[],
): Promise<(ConfigResource & { readonly configs: ConfigEntry[] })[]> {
  return retrying(cluster.env, { what: "describing configs" }, () =>
    Promise.all(
      resources.map(async ({ type, name, keys }) => {
        // A broker's own configs only that broker knows.
        const connection = type === "broker" && name !== "" ? await brokerNode(cluster, name) : await cluster.any()
        const answer = await connection.request(DescribeConfigs, {
          resources: [
            { resourceType: RESOURCE_TYPES[type], resourceName: name, configurationKeys: keys ? [...keys] : null },
          ],
        })
        const result = answer.results[0]!
        if (result.errorCode !== ErrorCode.NONE) {
          throw kafkaError(result.errorCode, `configs of ${type} ${name}`, result.errorMessage)
        }
        const configs = result.configs.map((config) => ({
          name: config.name,
          value: config.value,
          source: SOURCES[config.configSource] ?? "unknown",
          readOnly: config.readOnly,
          sensitive: config.isSensitive,
        }))
        return { type, name, configs }
      }),
    ),
  )
}

async function brokerNode(cluster: Cluster, name: string) {
  const id = Number(name)
  if (!cluster.metadata.node(id)) await cluster.refresh()
  return cluster.node(id)
}

/** Changes single configs and leaves the others as they are. */
export async function incrementalAlterConfigs(
  cluster: Cluster,
  resources: readonly (ConfigResource & { readonly changes: readonly ConfigChange[] })[],
  options: { readonly validateOnly?: boolean } = {},
): Promise<void> {
  const answer = await (
    await cluster.controller()
  ).request(IncrementalAlterConfigs, {
    resources: resources.map(({ type, name, changes }) => ({
      resourceType: RESOURCE_TYPES[type],
      resourceName: name,
      configs: changes.map((change) => ({
        name: change.name,
        configOperation: OPERATIONS[change.operation],
        value: change.value ?? null,
      })),
    })),
    validateOnly: options.validateOnly ?? false,
  })
  for (const { errorCode, errorMessage, resourceName } of answer.responses) {
    if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, `changing configs of ${resourceName}`, errorMessage)
  }
}

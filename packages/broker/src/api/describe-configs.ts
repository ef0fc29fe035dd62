/**
 * DescribeConfigs (key 32), v1-4: every setting of topics, brokers and groups with value, source and synonyms. v3 type and
 * documentation (KIP-569). Errors per resource: UNKNOWN_TOPIC_OR_PARTITION, INVALID_REQUEST, TOPIC_AUTHORIZATION_FAILED,
 * CLUSTER_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED.
 */
import type { ConfigRow, ConfigType } from "@millrace/config"
import { ErrorCode } from "@millrace/protocol"
import { DescribeConfigs } from "@millrace/protocol/messages/describe-configs"
import { ConfigResourceType } from "../controller/image.ts"
import { invalidTopicName } from "../controller/topic-names.ts"
import type { RequestContext } from "../network/context.ts"
import { type Answer, handler, type Services } from "./handler.ts"

type Result = Answer<typeof DescribeConfigs>["results"][number]

const typeNumbers: Record<ConfigType, number> = {
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
}

export const describeConfigs = handler(DescribeConfigs, {
  permissions: [
    { operation: "DESCRIBE_CONFIGS", resource: "TOPIC" },
    { operation: "DESCRIBE_CONFIGS", resource: "CLUSTER" },
    { operation: "DESCRIBE_CONFIGS", resource: "GROUP" },
  ],
  handle(request, context, services, reply) {
    const results = request.resources.map(({ resourceType, resourceName, configurationKeys }): Result => {
      const rows = rowsOf(resourceType, resourceName, context, services)
      if (!Array.isArray(rows)) return { ...rows, resourceType, resourceName, configs: [] }
      const keys = configurationKeys?.length ? new Set(configurationKeys) : undefined
      const wanted = rows.filter(({ name }) => keys === undefined || keys.has(name))
      const configs = wanted.map((row) => toResult(row, request.includeSynonyms, request.includeDocumentation))
      return { errorCode: ErrorCode.NONE, errorMessage: null, resourceType, resourceName, configs }
    })
    reply({ results })
  },
})

interface Refused {
  readonly errorCode: number
  readonly errorMessage: string | null
}

function rowsOf(type: number, name: string, context: RequestContext, services: Services): ConfigRow[] | Refused {
  const { image, configs, nodeId } = services
  switch (type) {
    case ConfigResourceType.TOPIC: {
      if (!context.may("DESCRIBE_CONFIGS", "TOPIC", name)) return refused(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      if (image.topic(name)) return configs.describeTopic(name)
      const invalid = invalidTopicName(name)
      return invalid === undefined
        ? refused(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        : refused(ErrorCode.INVALID_TOPIC_EXCEPTION, `Invalid topic: ${invalid}.`)
    }
    case ConfigResourceType.BROKER:
      if (!context.may("DESCRIBE_CONFIGS", "CLUSTER")) return refused(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
      if (name === "" || name === String(nodeId)) return configs.describeBroker(name === "")
      return otherBroker(nodeId, name)
    case ConfigResourceType.BROKER_LOGGER:
      if (!context.may("DESCRIBE_CONFIGS", "CLUSTER")) return refused(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
      return name === String(nodeId) ? [] : otherBroker(nodeId, name)
    case ConfigResourceType.GROUP:
      if (!context.may("DESCRIBE_CONFIGS", "GROUP", name)) return refused(ErrorCode.GROUP_AUTHORIZATION_FAILED)
      return name === "" ? refused(ErrorCode.INVALID_REQUEST, "The group has no name.") : configs.describeGroup(name)
    case ConfigResourceType.CLIENT_METRICS:
      if (!context.may("DESCRIBE_CONFIGS", "CLUSTER")) return refused(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
      return []
    default:
      return refused(ErrorCode.INVALID_REQUEST, `Unsupported resource type: ${type}.`)
  }
}

const otherBroker = (nodeId: number, name: string): Refused =>
  refused(ErrorCode.INVALID_REQUEST, `Unexpected broker id, expected ${nodeId}, got ${name}.`)

const refused = (errorCode: number, errorMessage: string | null = null): Refused => ({ errorCode, errorMessage })

function toResult(row: ConfigRow, includeSynonyms: boolean, includeDocumentation: boolean): Result["configs"][number] {
  return {
    name: row.name,
    value: row.value,
    readOnly: row.readOnly,
    configSource: row.source,
    isSensitive: row.isSensitive,
    synonyms: includeSynonyms ? row.synonyms.map(({ name, value, source }) => ({ name, value, source })) : [],
    configType: typeNumbers[row.type],
    documentation: includeDocumentation ? row.documentation : null,
  }
}

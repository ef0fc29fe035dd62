/**
 * ListConfigResources (key 74), v0-1: what settings could be asked of (KIP-1142); of groups, those that have some of their
 * own. v0 lists client metrics only, of which there are none. Errors: CLUSTER_AUTHORIZATION_FAILED, UNSUPPORTED_VERSION (unknown type).
 */
import { ErrorCode } from "@millrace/protocol"
import { ListConfigResources } from "@millrace/protocol/messages/list-config-resources"
import { ConfigResourceType } from "../controller/image.ts"
import { handler, type Services } from "./handler.ts"

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = ConfigResourceType
const all: readonly number[] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP]

export const listConfigResources = handler(ListConfigResources, {
  permissions: [{ operation: "DESCRIBE_CONFIGS", resource: "CLUSTER" }],
  handle({ resourceTypes }, context, services, reply) {
    if (!context.may("DESCRIBE_CONFIGS", "CLUSTER")) {
      reply({ errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, configResources: [] })
      return
    }
    const asked = context.apiVersion === 0 ? [CLIENT_METRICS] : resourceTypes.length === 0 ? all : resourceTypes
    if (asked.some((type) => !all.includes(type))) {
      reply({ errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] })
      return
    }
    const configResources = [...new Set(asked)].flatMap((resourceType) =>
      namesOf(resourceType, services).map((resourceName) => ({ resourceType, resourceName })),
    )
    reply({ errorCode: ErrorCode.NONE, configResources })
  },
})

function namesOf(resourceType: number, { image }: Services): string[] {
  if (resourceType === TOPIC) return [...image.topics()].map(({ name }) => name)
  if (resourceType === BROKER || resourceType === BROKER_LOGGER) return [...image.brokers()].map(({ id }) => String(id))
  if (resourceType === GROUP) return image.configuredResources(GROUP)
  return []
}

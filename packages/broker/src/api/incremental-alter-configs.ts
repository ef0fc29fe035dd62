/**
 * IncrementalAlterConfigs (key 44), v0-1: sets, deletes, or adds to and takes from lists (KIP-339). A resource changes as
 * a whole or not at all. Errors per resource: INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION,
 * TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { IncrementalAlterConfigs } from "@millrace/protocol/messages/incremental-alter-configs"
import { alterConfigsIncrementally, type ConfigResource } from "../controller/configs.ts"
import { alterResource, effectiveValue } from "./alter-configs.ts"
import { handler } from "./handler.ts"

const keyOf = ({ resourceType, resourceName }: ConfigResource) => `${resourceType}:${resourceName}`

export const incrementalAlterConfigs = handler(IncrementalAlterConfigs, {
  permissions: [
    { operation: "ALTER_CONFIGS", resource: "TOPIC" },
    { operation: "ALTER_CONFIGS", resource: "GROUP" },
    { operation: "ALTER_CONFIGS", resource: "CLUSTER" },
  ],
  handle(request, context, services, reply) {
    const effective = effectiveValue(services)
    const [once, repeated] = [new Set<string>(), new Set<string>()]
    for (const resource of request.resources) (once.has(keyOf(resource)) ? repeated : once).add(keyOf(resource))
    const responses = request.resources.map((resource) => {
      if (repeated.has(keyOf(resource))) {
        const { resourceType, resourceName } = resource
        const errorMessage = "Each resource must appear at most once."
        return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage, resourceType, resourceName }
      }
      const changes = resource.configs.map(({ name, configOperation, value }) => ({
        name,
        operation: configOperation,
        value,
      }))
      return alterResource(resource, request.validateOnly, context, services, () =>
        alterConfigsIncrementally(services.image, resource, changes, effective),
      )
    })
    reply({ responses })
  },
})

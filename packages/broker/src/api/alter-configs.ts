/**
 * AlterConfigs (key 33), v0-2: the settings given replace all that a resource has; superseded by IncrementalAlterConfigs.
 * Errors per resource: INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, TOPIC_AUTHORIZATION_FAILED,
 * CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { AlterConfigs } from "@millrace/protocol/messages/alter-configs"
import { type ConfigResource, type EffectiveValue, replaceConfigs } from "../controller/configs.ts"
import { ConfigResourceType } from "../controller/image.ts"
import type { MetadataRecord } from "../controller/records.ts"
import { Refusal } from "../controller/refusal.ts"
import type { RequestContext } from "../network/context.ts"
import { handler, type Services } from "./handler.ts"

export const alterConfigs = handler(AlterConfigs, {
  permissions: [
    { operation: "ALTER_CONFIGS", resource: "TOPIC" },
    { operation: "ALTER_CONFIGS", resource: "CLUSTER" },
  ],
  handle(request, context, services, reply) {
    const responses = request.resources.map((resource) =>
      alterResource(resource, request.validateOnly, context, services, () =>
        replaceConfigs(services.image, resource, resource.configs),
      ),
    )
    reply({ responses })
  },
})

interface AlterResult extends ConfigResource {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Carries out one resource's change and says how it went. */
export function alterResource(
  { resourceType, resourceName }: ConfigResource,
  validateOnly: boolean,
  context: RequestContext,
  { controller }: Services,
  decide: () => readonly MetadataRecord[],
): AlterResult {
  const result = (errorCode: number, errorMessage: string | null = null): AlterResult => ({
    errorCode,
    errorMessage,
    resourceType,
    resourceName,
  })
  const isTopic = resourceType === ConfigResourceType.TOPIC
  if (isTopic && !context.may("ALTER_CONFIGS", "TOPIC", resourceName)) {
    return result(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  }
  if (!isTopic && !context.may("ALTER_CONFIGS", "CLUSTER")) return result(ErrorCode.CLUSTER_AUTHORIZATION_FAILED)
  try {
    const records = decide()
    if (!validateOnly) controller.write(records)
    return result(ErrorCode.NONE)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return result(cause.code, cause.message)
  }
}

/** The value in effect, in text form: what APPEND and SUBTRACT start from. */
export function effectiveValue({ configs }: Services): EffectiveValue {
  return ({ resourceType, resourceName }, name) => {
    const isTopic = resourceType === ConfigResourceType.TOPIC
    const rows = isTopic ? configs.describeTopic(resourceName) : configs.describeBroker(false)
    return rows.find((row) => row.name === name)?.value ?? ""
  }
}

/**
 * AlterConfigs (key 33), v0-2: the settings given replace all that a resource has; superseded by IncrementalAlterConfigs.
 * Errors per resource: INVALID_CONFIG, INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION, TOPIC_AUTHORIZATION_FAILED,
 * GROUP_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import { AlterConfigs } from "@millrace/protocol/messages/alter-configs"
import {
  checkConfigsTogether,
  type ConfigResource,
  type EffectiveValue,
  replaceConfigs,
} from "../controller/configs.ts"
import { ConfigResourceType } from "../controller/image.ts"
import type { MetadataRecord } from "../controller/records.ts"
import { Refusal } from "../controller/refusal.ts"
import type { RequestContext } from "../network/context.ts"
import { handler, type Services } from "./handler.ts"

export const alterConfigs = handler(AlterConfigs, {
  permissions: [
    { operation: "ALTER_CONFIGS", resource: "TOPIC" },
    { operation: "ALTER_CONFIGS", resource: "GROUP" },
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
  { controller, image, config }: Services,
  decide: () => readonly MetadataRecord[],
): AlterResult {
  const result = (errorCode: number, errorMessage: string | null = null): AlterResult => ({
    errorCode,
    errorMessage,
    resourceType,
    resourceName,
  })
  const refused = forbidden(resourceType, resourceName, context)
  if (refused !== undefined) return result(refused)
  try {
    const records = decide()
    checkConfigsTogether(image, { resourceType, resourceName }, records, config)
    return controller.commit({ records: validateOnly ? [] : records, response: result(ErrorCode.NONE) })
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    return result(cause.code, cause.message)
  }
}

function forbidden(type: number, name: string, context: RequestContext): ErrorCode | undefined {
  if (type === ConfigResourceType.TOPIC)
    return context.may("ALTER_CONFIGS", "TOPIC", name) ? undefined : ErrorCode.TOPIC_AUTHORIZATION_FAILED
  if (type === ConfigResourceType.GROUP)
    return context.may("ALTER_CONFIGS", "GROUP", name) ? undefined : ErrorCode.GROUP_AUTHORIZATION_FAILED
  return context.may("ALTER_CONFIGS", "CLUSTER") ? undefined : ErrorCode.CLUSTER_AUTHORIZATION_FAILED
}

/** The value in effect, in text form: what APPEND and SUBTRACT start from. */
export function effectiveValue({ configs }: Services): EffectiveValue {
  return ({ resourceType, resourceName }, name) => configs.printed(resourceType, resourceName, name) ?? ""
}

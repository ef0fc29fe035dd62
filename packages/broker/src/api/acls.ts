/**
 * DescribeAcls (key 29), CreateAcls (30) and DeleteAcls (31), v1-3: the cluster's access rules (KIP-140, KIP-290).
 *
 * Errors: SECURITY_DISABLED where no authorizer goes by them (`authorizer.class.name`), CLUSTER_AUTHORIZATION_FAILED,
 * INVALID_REQUEST.
 */
import { ErrorCode } from "@millrace/protocol"
import { CreateAcls } from "@millrace/protocol/messages/create-acls"
import { DeleteAcls } from "@millrace/protocol/messages/delete-acls"
import { DescribeAcls, type DescribeAclsResponse } from "@millrace/protocol/messages/describe-acls"
import { createAcls as decideCreation, deleteAcls as decideDeletion } from "../controller/acls.ts"
import type { RequestContext } from "../network/context.ts"
import { type Acl, matchesFilter } from "../security/acl.ts"
import type { Operation } from "../security/authorizer.ts"
import { handler, type Services } from "./handler.ts"

const OK = { errorCode: ErrorCode.NONE, errorMessage: null }

function refusal(operation: Operation, context: RequestContext, { config }: Services) {
  if (!context.may(operation, "CLUSTER"))
    return { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, errorMessage: null }
  if (config["authorizer.class.name"] !== "") return undefined
  const errorMessage = "No Authorizer is configured on the broker: set authorizer.class.name"
  return { errorCode: ErrorCode.SECURITY_DISABLED, errorMessage }
}

export const describeAcls = handler(DescribeAcls, {
  permissions: [{ operation: "DESCRIBE", resource: "CLUSTER" }],
  handle(filter, context, services, reply) {
    const refused = refusal("DESCRIBE", context, services)
    if (refused) return reply({ ...refused, resources: [] })
    const found = [...services.image.acls.all()].filter((acl) => matchesFilter(filter, acl))
    reply({ ...OK, resources: byResource(found) })
  },
})

export const createAcls = handler(CreateAcls, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle({ creations }, context, services, reply) {
    const refused = refusal("ALTER", context, services)
    if (refused) return reply({ results: creations.map(() => refused) })
    const { controller, image, newUuid } = services
    reply({ results: controller.commit(decideCreation(image, creations, newUuid)) })
  },
})

export const deleteAcls = handler(DeleteAcls, {
  permissions: [{ operation: "ALTER", resource: "CLUSTER" }],
  handle({ filters }, context, services, reply) {
    const refused = refusal("ALTER", context, services)
    if (refused) return reply({ filterResults: filters.map(() => ({ ...refused, matchingAcls: [] })) })
    const { controller, image } = services
    reply({ filterResults: controller.commit(decideDeletion(image, filters)) })
  },
})

function byResource(acls: readonly Acl[]): DescribeAclsResponse["resources"] {
  const resources = new Map<string, DescribeAclsResponse["resources"][number]>()
  for (const { resourceType, resourceName, patternType, principal, host, operation, permissionType } of acls) {
    const key = `${resourceType}:${patternType}:${resourceName}`
    const resource = resources.get(key) ?? { resourceType, resourceName, patternType, acls: [] }
    resource.acls.push({ principal, host, operation, permissionType })
    resources.set(key, resource)
  }
  return [...resources.values()]
}

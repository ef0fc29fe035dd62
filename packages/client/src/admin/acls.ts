/**
 * Access rules (ACLs): who may do what (KIP-140, KIP-290). A rule that denies outweighs those that allow.
 */
import { ErrorCode } from "@millrace/protocol"
import { type AclBinding, AclOperation, AclResourceType, PatternType, PermissionType } from "@millrace/protocol/acl"
import { CreateAcls } from "@millrace/protocol/messages/create-acls"
import { DeleteAcls } from "@millrace/protocol/messages/delete-acls"
import { DescribeAcls } from "@millrace/protocol/messages/describe-acls"
import type { Cluster } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import { retrying } from "../network/retry.ts"

export type AclResource = Exclude<keyof typeof AclResourceType, "ANY">
export type AclPattern = "LITERAL" | "PREFIXED"
export type AclOperationName = Exclude<keyof typeof AclOperation, "ANY">
export const ACL_OPERATIONS = Object.keys(AclOperation).filter((name): name is AclOperationName => name !== "ANY")
export type AclPermission = "ALLOW" | "DENY"

export interface AclRule {
  readonly resourceType: AclResource
  /** `CLUSTER_NAME` for CLUSTER; `*` with LITERAL: all of the type. */
  readonly resourceName: string
  /** PREFIXED: all resources whose names begin so. */
  readonly patternType: AclPattern
  /** `User:alice`; `User:*` for everybody. */
  readonly principal: string
  /** An address; `*` for all. */
  readonly host: string
  readonly operation: AclOperationName
  readonly permission: AclPermission
}

/** What is left out matches everything. */
export type AclRuleFilter = Partial<AclRule>

const describing = "describing access rules"

/** Rejects with the first refusal; the rules before it are there. One that is there already is no error. */
export async function createAcls(cluster: Cluster, rules: readonly AclRule[]): Promise<void> {
  const what = "creating access rules"
  const creations = rules.map(
    ({ resourceType, resourceName, patternType, principal, host, operation, permission }) => ({
      ...{ resourceType: AclResourceType[resourceType], resourceName, principal, host },
      resourcePatternType: PatternType[patternType],
      operation: AclOperation[operation],
      permissionType: PermissionType[permission],
    }),
  )
  await retrying(cluster.env, { what }, async () => {
    const connection = await cluster.controller()
    const { results } = await connection.request(CreateAcls, { creations })
    for (const { errorCode, errorMessage } of results)
      if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, what, errorMessage)
  })
}

export async function describeAcls(cluster: Cluster, filter: AclRuleFilter = {}): Promise<AclRule[]> {
  return retrying(cluster.env, { what: describing }, async () => {
    const connection = await cluster.controller()
    const answer = await connection.request(DescribeAcls, filterOf(filter))
    if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, describing, answer.errorMessage)
    return answer.resources.flatMap(({ acls, ...resource }) => acls.map((acl) => ruleOf({ ...resource, ...acl })))
  })
}

/**
 * Answers the rules that were deleted. Where an answer was lost and the request was sent again, those that the first one
 * deleted are not among them; all that matched are gone nevertheless.
 */
export async function deleteAcls(cluster: Cluster, filters: readonly AclRuleFilter[]): Promise<AclRule[]> {
  const what = "deleting access rules"
  return retrying(cluster.env, { what }, async () => {
    const connection = await cluster.controller()
    const { filterResults } = await connection.request(DeleteAcls, { filters: filters.map(filterOf) })
    return filterResults.flatMap(({ errorCode, errorMessage, matchingAcls }) => {
      if (errorCode !== ErrorCode.NONE) throw kafkaError(errorCode, what, errorMessage)
      return matchingAcls.map((acl) => {
        if (acl.errorCode !== ErrorCode.NONE) throw kafkaError(acl.errorCode, what, acl.errorMessage)
        return ruleOf(acl)
      })
    })
  })
}

function filterOf(filter: AclRuleFilter) {
  return {
    resourceTypeFilter: AclResourceType[filter.resourceType ?? "ANY"],
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: PatternType[filter.patternType ?? "ANY"],
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: AclOperation[filter.operation ?? "ANY"],
    permissionType: PermissionType[filter.permission ?? "ANY"],
  }
}

function ruleOf({ resourceType, patternType, operation, permissionType, resourceName, principal, host }: AclBinding) {
  return {
    resourceType: nameOf(AclResourceType, resourceType) as AclResource,
    resourceName,
    patternType: nameOf(PatternType, patternType) as AclPattern,
    ...{ principal, host },
    operation: nameOf(AclOperation, operation) as AclOperationName,
    permission: nameOf(PermissionType, permissionType) as AclPermission,
  }
}

/** A number that a later Kafka has, and this client does not know, is told as such. */
function nameOf(names: Readonly<Record<string, number>>, number: number): string {
  return Object.keys(names).find((name) => names[name] === number) ?? `UNKNOWN_${number}`
}

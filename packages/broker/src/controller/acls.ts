/**
 * Decisions about access rules: each rule of a request is added or refused by itself; one that is there already is not added
 * again.
 */
import { ErrorCode } from "@millrace/protocol"
import { AclOperation, AclResourceType, CLUSTER_NAME, PatternType, PermissionType } from "@millrace/protocol/acl"
import type { CreateAclsRequest, CreateAclsResponse } from "@millrace/protocol/messages/create-acls"
import type { DeleteAclsRequest, DeleteAclsResponse } from "@millrace/protocol/messages/delete-acls"
import { type Acl, matchesFilter } from "../security/acl.ts"
import type { MetadataImage } from "./image.ts"
import { outcomeOf, Refusal } from "./refusal.ts"
import type { MetadataRecord } from "./records.ts"
import type { Decision } from "./topics.ts"

type Creation = CreateAclsRequest["creations"][number]
type FilterResult = DeleteAclsResponse["filterResults"][number]

const DONE = { errorCode: ErrorCode.NONE, errorMessage: null }

export function createAcls(
  image: MetadataImage,
  creations: readonly Creation[],
  newId: () => string,
): Decision<CreateAclsResponse["results"]> {
  const known = new Set([...image.acls.all()].map(identity))
  const records: MetadataRecord[] = []
  const response = creations.map((creation) => {
    const outcome = outcomeOf(() => check(creation))
    if (outcome.errorCode !== ErrorCode.NONE) return outcome
    const { resourcePatternType: patternType, ...rest } = creation
    const acl: Acl = { id: newId(), patternType, ...rest }
    if (!known.has(identity(acl))) records.push({ type: "AccessControlEntryRecord", data: acl })
    known.add(identity(acl))
    return outcome
  })
  return { records, response }
}

export function deleteAcls(image: MetadataImage, filters: DeleteAclsRequest["filters"]): Decision<FilterResult[]> {
  const removed = new Set<string>()
  const response = filters.map((filter) => {
    const matching = [...image.acls.all()].filter((acl) => matchesFilter(filter, acl))
    for (const { id } of matching) removed.add(id)
    return { ...DONE, matchingAcls: matching.map((acl) => ({ ...DONE, ...withoutId(acl) })) }
  })
  return {
    records: [...removed].map((id) => ({ type: "RemoveAccessControlEntryRecord", data: { id } })),
    response,
  }
}

function withoutId({ resourceType, resourceName, patternType, principal, host, operation, permissionType }: Acl) {
  return { resourceType, resourceName, patternType, principal, host, operation, permissionType }
}

const identity = (acl: Acl): string => JSON.stringify(withoutId(acl))

const isOneOf = (numbers: object, value: number): boolean => Object.values(numbers).includes(value)

function check({ resourceType, resourceName, resourcePatternType, principal, host, ...rest }: Creation): void {
  const { operation, permissionType } = rest
  const refuse = (reason: string): never => {
    throw new Refusal(ErrorCode.INVALID_REQUEST, reason)
  }
  const ANY = 1
  if (resourceType === ANY || !isOneOf(AclResourceType, resourceType)) refuse(`Invalid resourceType ${resourceType}.`)
  if (resourcePatternType !== PatternType.LITERAL && resourcePatternType !== PatternType.PREFIXED)
    refuse(`Invalid patternType ${resourcePatternType}.`)
  if (resourceName === "") refuse("Resource name should not be empty.")
  if (resourceType === AclResourceType.CLUSTER && resourceName !== CLUSTER_NAME)
    refuse(`The only valid name for the CLUSTER resource is ${CLUSTER_NAME}.`)
  if (!/^[^:]+:/.test(principal)) refuse(`Could not parse principal from \`${principal}\`: it has the form TYPE:NAME.`)
  if (host === "") refuse("The host of a rule should not be empty.")
  if (operation === ANY || !isOneOf(AclOperation, operation)) refuse(`Invalid operation ${operation}.`)
  if (permissionType === ANY || !isOneOf(PermissionType, permissionType))
    refuse(`Invalid permissionType ${permissionType}.`)
}

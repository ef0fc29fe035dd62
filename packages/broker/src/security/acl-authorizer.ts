/**
 * The authorizer that goes by the cluster's access rules, as Kafka's StandardAuthorizer does (KIP-801): super users may do
 * everything; one rule that denies outweighs all that allow; where a resource has rules and none allows, the answer is no.
 */
import { PatternType, PermissionType } from "@millrace/protocol/acl"
import { type Acl, type Acls, applies, WILDCARD } from "./acl.ts"
import type { Authorizer, Operation, Permission, ResourceType } from "./authorizer.ts"

export interface AclAuthorizerOptions {
  readonly acls: Acls
  readonly superUsers: ReadonlySet<string>
  /** allow.everyone.if.no.acl.found */
  readonly allowsWithoutAcl: boolean
}

export class AclAuthorizer implements Authorizer {
  readonly #options: AclAuthorizerOptions

  constructor(options: AclAuthorizerOptions) {
    this.#options = options
  }

  isAllowed(principal: string, clientHost: string, { operation, resource }: Permission, name: string): boolean {
    const { acls, superUsers, allowsWithoutAcl } = this.#options
    if (superUsers.has(principal)) return true
    let hasRules = false
    let isAllowed = false
    for (const acl of acls.about(resource, name)) {
      hasRules = true
      if (!applies(acl, principal, clientHost, operation)) continue
      if (acl.permissionType === PermissionType.DENY) return false
      isAllowed = true
    }
    return isAllowed || (!hasRules && allowsWithoutAcl)
  }

  /** Some resource of this type, whether or not it exists: a rule allows it that no rule which denies covers whole. */
  isAllowedSomewhere(principal: string, clientHost: string, operation: Operation, resource: ResourceType): boolean {
    const { acls, superUsers, allowsWithoutAcl } = this.#options
    if (superUsers.has(principal)) return true
    const denied: Acl[] = []
    const allowed: Acl[] = []
    for (const acl of acls.ofType(resource)) {
      if (!applies(acl, principal, clientHost, operation)) continue
      if (acl.permissionType === PermissionType.DENY) denied.push(acl)
      else allowed.push(acl)
    }
    if (denied.some(isAboutAll)) return false
    return allowsWithoutAcl || allowed.some((acl) => !denied.some((other) => covers(other, acl)))
  }
}

const isAboutAll = ({ patternType, resourceName }: Acl): boolean =>
  patternType === PatternType.LITERAL && resourceName === WILDCARD

/** Every resource that `inner` is about `outer` is about too. */
function covers(outer: Acl, inner: Acl): boolean {
  if (isAboutAll(inner)) return false
  if (outer.patternType === PatternType.PREFIXED) return inner.resourceName.startsWith(outer.resourceName)
  return inner.patternType === PatternType.LITERAL && inner.resourceName === outer.resourceName
}

/**
 * Access rules (ACLs), and which of them are about a resource (KIP-11, KIP-290).
 */
import { type AclBinding, AclOperation, AclResourceType, PatternType, PermissionType } from "@millrace/protocol/acl"
import type { Operation, ResourceType } from "./authorizer.ts"

/** As literal name, principal's name or host: all of them. */
export const WILDCARD = "*"

export interface Acl extends AclBinding {
  readonly id: string
}

/** Null and ANY match everything. */
export interface AclFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

export function matchesFilter(filter: AclFilter, acl: Acl): boolean {
  const is = (asked: number, found: number) => asked === 1 || asked === found
  const names = (asked: string | null, found: string) => asked === null || asked === found
  return (
    is(filter.resourceTypeFilter, acl.resourceType) &&
    matchesPattern(filter, acl) &&
    names(filter.principalFilter, acl.principal) &&
    names(filter.hostFilter, acl.host) &&
    is(filter.operation, acl.operation) &&
    is(filter.permissionType, acl.permissionType)
  )
}

function matchesPattern({ patternTypeFilter, resourceNameFilter }: AclFilter, acl: Acl): boolean {
  if (patternTypeFilter === PatternType.MATCH) return resourceNameFilter === null || isAbout(acl, resourceNameFilter)
  if (patternTypeFilter !== PatternType.ANY && patternTypeFilter !== acl.patternType) return false
  return resourceNameFilter === null || resourceNameFilter === acl.resourceName
}

function isAbout({ patternType, resourceName }: Acl, name: string): boolean {
  if (patternType === PatternType.PREFIXED) return name.startsWith(resourceName)
  return resourceName === name || resourceName === WILDCARD
}

/** All rules of the cluster. Those about one resource are found without looking at those about others. */
export class Acls {
  readonly #all = new Map<string, Acl>()
  readonly #literal = new Map<string, Set<Acl>>()
  readonly #prefixed = new Map<number, Set<Acl>>()

  all(): Iterable<Acl> {
    return this.#all.values()
  }

  get(id: string): Acl | undefined {
    return this.#all.get(id)
  }

  add(acl: Acl): void {
    this.delete(acl.id)
    this.#all.set(acl.id, acl)
    const { resourceType, resourceName, patternType } = acl
    if (patternType === PatternType.PREFIXED) addTo(this.#prefixed, resourceType, acl)
    else addTo(this.#literal, literalKey(resourceType, resourceName), acl)
  }

  delete(id: string): void {
    const acl = this.#all.get(id)
    if (acl === undefined) return
    this.#all.delete(id)
    this.#prefixed.get(acl.resourceType)?.delete(acl)
    this.#literal.get(literalKey(acl.resourceType, acl.resourceName))?.delete(acl)
  }

  *about(resource: ResourceType, name: string): Iterable<Acl> {
    const type = AclResourceType[resource]
    yield* this.#literal.get(literalKey(type, name)) ?? []
    if (name !== WILDCARD) yield* this.#literal.get(literalKey(type, WILDCARD)) ?? []
    for (const acl of this.#prefixed.get(type) ?? []) if (name.startsWith(acl.resourceName)) yield acl
  }

  *ofType(resource: ResourceType): Iterable<Acl> {
    for (const acl of this.#all.values()) if (acl.resourceType === AclResourceType[resource]) yield acl
  }
}

const literalKey = (resourceType: number, name: string): string => `${resourceType}:${name}`

function addTo<K>(index: Map<K, Set<Acl>>, key: K, acl: Acl): void {
  const found = index.get(key)
  if (found) found.add(acl)
  else index.set(key, new Set([acl]))
}

/** Operations that a rule which allows them allows too; what is denied is denied alone. */
const IMPLIED_BY: Partial<Record<Operation, readonly Operation[]>> = {
  DESCRIBE: ["READ", "WRITE", "DELETE", "ALTER"],
  DESCRIBE_CONFIGS: ["ALTER_CONFIGS"],
}

/** Whether a rule, whose resource is the right one, says something about who asks to do what. */
export function applies(acl: Acl, principal: string, host: string, operation: Operation): boolean {
  const isForThem = acl.principal === principal || acl.principal === `User:${WILDCARD}`
  if (!isForThem || (acl.host !== host && acl.host !== WILDCARD)) return false
  if (acl.operation === AclOperation.ALL || acl.operation === AclOperation[operation]) return true
  if (acl.permissionType === PermissionType.DENY) return false
  return IMPLIED_BY[operation]?.some((other) => acl.operation === AclOperation[other]) ?? false
}

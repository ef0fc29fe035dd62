/**
 * Who may do what. Handlers declare the permissions they ask for and ask for each resource they touch; what an
 * authorizer refuses is answered with the resource's authorization error, never with a hint that it exists.
 */
import { AclOperation, OPERATIONS_OF_RESOURCE } from "@millrace/protocol/acl"

export type ResourceType = "TOPIC" | "GROUP" | "CLUSTER" | "TRANSACTIONAL_ID" | "DELEGATION_TOKEN" | "USER"
export type Operation =
  | "READ"
  | "WRITE"
  | "CREATE"
  | "DELETE"
  | "ALTER"
  | "DESCRIBE"
  | "CLUSTER_ACTION"
  | "DESCRIBE_CONFIGS"
  | "ALTER_CONFIGS"
  | "IDEMPOTENT_WRITE"
  | "CREATE_TOKENS"
  | "DESCRIBE_TOKENS"

export interface Permission {
  readonly operation: Operation
  readonly resource: ResourceType
}

export interface Authorizer {
  isAllowed(principal: string, clientHost: string, permission: Permission, resourceName: string): boolean
  /** Whether there is any resource of a type that this may be done with (KIP-679). */
  isAllowedSomewhere(principal: string, clientHost: string, operation: Operation, resource: ResourceType): boolean
}

/** Trusts everyone who can connect: listeners are bound to loopback unless told otherwise. */
export const allowAll: Authorizer = { isAllowed: () => true, isAllowedSomewhere: () => true }

export const denyAll: Authorizer = { isAllowed: () => false, isAllowedSomewhere: () => false }

/** The bit field of all operations that `isAllowed` grants on a resource. */
export function authorizedOperations(resource: ResourceType, isAllowed: (permission: Permission) => boolean): number {
  let bits = 0
  for (const operation of OPERATIONS_OF_RESOURCE[resource]) {
    if (isAllowed({ operation, resource })) bits |= 1 << AclOperation[operation]
  }
  return bits
}

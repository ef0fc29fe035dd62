/** Who asks: everything a handler may know about a request beside its body. */
import type { Address } from "@millrace/host"
import type { Authentication } from "../security/authentication.ts"
import type { Operation, ResourceType } from "../security/authorizer.ts"

export interface RequestContext {
  /** As the authorizer sees it, such as `User:ANONYMOUS`. */
  readonly principal: string
  readonly clientId: string | null
  /** The name of the listener the connection came in on. */
  readonly listener: string
  readonly apiVersion: number
  /** The size of the request, without its length. */
  readonly requestBytes: number
  readonly connection: ConnectionIdentity
  /** Reads as: may this client do that? For resource type CLUSTER the name is left out. */
  may(operation: Operation, resource: ResourceType, name?: string): boolean
  /** As `may`, but nobody is told of a refusal: for what is filtered, and where another right is enough too. */
  maySilently(operation: Operation, resource: ResourceType, name?: string): boolean
  /** May it do that with any resource of this type, whichever? */
  maySomewhere(operation: Operation, resource: ResourceType): boolean
  /** Leaves the connection alone for so long once this request is answered; of several times the longest counts. */
  throttle(ms: number): void
  /** Nothing reads the request's bytes any more, also not through views of them: their memory may be used again. */
  release(): void
  /** Closes the connection instead of answering. */
  fail(reason: string): void
  /** Closes the connection once this request is answered. */
  end(): void
}

/** Lives as long as the connection. */
export interface ConnectionIdentity {
  readonly id: number
  readonly remote: Address
  readonly local: Address
  /** Who the connection is before SASL: anonymous, or who its TLS certificate says. */
  readonly principal: string
  /** Of listeners where clients authenticate with SASL. */
  readonly authentication: Authentication | undefined
  /** What ApiVersions told us about the client (KIP-511). */
  softwareName: string
  softwareVersion: string
  /** Called once when the connection is gone: what waits for it gives up. */
  readonly onClose: Set<() => void>
}

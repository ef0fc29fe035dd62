/**
 * The shape of an API: its messages, the permissions it asks for, and a function from request to response.
 *
 * A handler answers through `reply`, at once or later, exactly once. It throws for programmer errors only. What it needs
 * of the broker it gets as `Services`; who asks as `RequestContext`.
 */
import type { BufferPool, Clock, Random } from "@millrace/host"
import type { Api, Encodable } from "@millrace/protocol"
import type { BrokerConfig } from "../config/broker.ts"
import type { ConfigView } from "../config/view.ts"
import type { Controller } from "../controller/controller.ts"
import type { BrokerEndpoint, BrokerImage, MetadataImage } from "../controller/image.ts"
import type { FetchSessionCache } from "../fetch/session-cache.ts"
import type { GroupCoordinator } from "../group/coordinator.ts"
import type { BrokerCounters } from "../metrics/counters.ts"
import type { InternalTopics } from "../internal-topics.ts"
import type { RequestContext } from "../network/context.ts"
import type { BrokerQuotas } from "../quota/broker-quotas.ts"
import type { ReplicaManager } from "../replica-manager.ts"
import type { Permission } from "../security/authorizer.ts"
import type { DelegationTokens } from "../security/delegation-tokens.ts"
import type { Refusals } from "../security/refusals.ts"
import type { TransactionCoordinator } from "../transaction/coordinator.ts"

export interface Services {
  readonly nodeId: number
  readonly clusterId: string
  readonly clock: Clock
  readonly random: Random
  /** Memory for answers. */
  readonly buffers: BufferPool
  readonly configs: ConfigView
  /** The broker's settings as they are now. */
  readonly config: BrokerConfig
  readonly controller: Controller
  readonly image: MetadataImage
  readonly replicas: ReplicaManager
  readonly fetchSessions: FetchSessionCache
  /** Undefined without `delegation.token.secret.key`. */
  readonly tokens: DelegationTokens | undefined
  readonly quotas: BrokerQuotas
  readonly counters: BrokerCounters
  readonly refusals: Refusals
  readonly internalTopics: InternalTopics
  readonly groups: GroupCoordinator
  readonly transactions: TransactionCoordinator
  newUuid(): string
  /** A programmer's error that surfaced outside a handler's own call. */
  onDefect(cause: unknown): void
  /** Where a client that came in on this listener finds a broker. */
  endpoint(broker: BrokerImage, context: RequestContext): BrokerEndpoint | undefined
}

/** What a handler fills in of a response: the throttle time is the dispatcher's. */
export type Unthrottled<Response> = Omit<Response, "throttleTimeMs"> & { throttleTimeMs?: number | undefined }

/** An API's response as its handler answers it. */
export type Answer<A extends { readonly response: unknown }> = Unthrottled<Encodable<A["response"]>>

/**
 * A response; or null for none, when the request is one that gets no answer. `taken` is called once the network has taken the
 * answer and nobody reads the response's bytes any more; where the connection ends first, never.
 */
export type Reply<Response> = (response: Response | null, taken?: () => void) => void

export interface Handler<Request, Response> {
  readonly api: Api<Request, unknown, never, Response>
  /** Every permission it may ask for. Empty only where no authorization applies. */
  readonly permissions: readonly Permission[]
  /** Highest version served, where that is below the table's. */
  readonly maxVersion?: number
  /** Lowest version advertised, where that is not the lowest served. */
  readonly advertisedMin?: number
  handle(request: Request, context: RequestContext, services: Services, reply: Reply<Response>): void
}

// oxlint-disable-next-line typescript/no-explicit-any -- the registry holds handlers of all types
export type AnyHandler = Handler<any, any>

type HandlerBody<Req, ResIn> = Omit<Handler<Req, ResIn>, "api">

/** Ties a handler's types to its API. */
export function handler<Req, Res, ReqIn, ResIn>(
  api: Api<Req, Res, ReqIn, ResIn>,
  body: HandlerBody<Req, Unthrottled<ResIn>>,
): Handler<Req, Unthrottled<ResIn>> {
  return { api: api as unknown as Api<Req, unknown, never, Unthrottled<ResIn>>, ...body }
}

/** Answers when a coordinator does. It answers failures as codes; a rejection is a defect. */
export function replyLater<Response>(services: Services, answer: Promise<Response>, reply: Reply<Response>): void {
  answer.then(reply).catch((cause: unknown) => services.onDefect(cause))
}

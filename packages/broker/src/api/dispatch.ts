/**
 * From a frame to an answer: header, handler, body, response. What is no request of ours closes the connection, since
 * there is no answer its sender could read; only ApiVersions in an unknown version is answered, with a v0 body that
 * says which versions there are (KIP-511).
 *
 * What a handler throws is the broker's own fault. Mostly nobody knows then what was done and what was not, so the broker
 * must not go on. A `ProtocolError` is known better: a value that no message can hold, found before anything was written of
 * it. Since it may have come in with a request, who sends it must not end the broker for all: its connection ends, and
 * whoever runs the broker is told. So it is where the metadata log had no room, and an API cannot say that.
 */
import {
  type DecodedRequestHeader,
  decodeRequestHeader,
  decode,
  encodeResponse,
  ErrorCode,
  ProtocolError,
} from "@millrace/protocol"
import { CLUSTER_NAME } from "@millrace/protocol/acl"
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { MetadataLogFull } from "../controller/metadata-log.ts"
import type { RequestContext } from "../network/context.ts"
import type { ServerRequest } from "../network/server.ts"
import type { Authorizer, Operation, ResourceType } from "../security/authorizer.ts"
import { userPrincipal } from "../security/principal.ts"
import type { RequestTracing } from "../tracing/tracing.ts"
import { withShortExplanations } from "./explanations.ts"
import type { AnyHandler, Services } from "./handler.ts"
import { answerToken } from "./sasl-token.ts"
import { advertisedRange, type ApiRegistry } from "./registry.ts"

export interface DispatchOptions {
  readonly registry: ApiRegistry
  readonly services: Services
  readonly authorizer: Authorizer
  readonly tracing: RequestTracing | undefined
  /** A defect: nothing the broker can answer. It must not go on. */
  onDefect(cause: unknown): void
  /** What ends the request alone. */
  onUnanswerable(api: string, cause: ProtocolError | MetadataLogFull): void
}

/** A request of an API that is served. */
interface Asked {
  readonly handler: AnyHandler
  readonly header: DecodedRequestHeader
  readonly body: unknown
}

const API_VERSIONS_KEY = 18
/** ApiVersions, SaslHandshake, SaslAuthenticate: what somebody unknown may ask. */
const KEYS_BEFORE_AUTHENTICATION: ReadonlySet<number> = new Set([API_VERSIONS_KEY, 17, 36])

export function dispatcher(options: DispatchOptions): (request: ServerRequest) => void {
  return (request) => {
    try {
      const { authentication } = request.connection
      if (authentication?.expectsToken) return answerToken(authentication, request, options.services)
      const asked = read(options, request)
      if (asked !== undefined) serve(options, request, asked)
    } catch (cause) {
      request.fail("internal error")
      options.onDefect(cause)
    }
  }
}

/** Undefined for bytes that are no request, the peer's fault: the connection ends. */
function read(options: DispatchOptions, request: ServerRequest): Asked | undefined {
  try {
    const header = decodeRequestHeader(request.frame)
    const handler = handlerOf(options, request, header)
    if (handler === undefined) return undefined
    return { handler, header, body: decode(handler.api.request, header.apiVersion, request.frame, header.bodyOffset) }
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    request.fail(cause.message)
    return undefined
  }
}

/** Undefined when there is none for it, which it has been told. */
function handlerOf(
  { registry, services }: DispatchOptions,
  request: ServerRequest,
  { apiKey, apiVersion, correlationId }: DecodedRequestHeader,
): AnyHandler | undefined {
  const { authentication } = request.connection
  if (authentication?.isGood(services.clock.now()) === false && !KEYS_BEFORE_AUTHENTICATION.has(apiKey)) {
    request.fail(`api key ${apiKey} was asked for by a client that is not authenticated, or not any more`)
    return undefined
  }
  const handler = registry.handlers.get(apiKey)
  if (!handler || !isServed(handler, apiVersion)) {
    if (handler && apiKey === API_VERSIONS_KEY) {
      const { minVersion, maxVersion } = advertisedRange(handler)
      const response = {
        errorCode: ErrorCode.UNSUPPORTED_VERSION,
        apiKeys: [{ apiKey, minVersion, maxVersion }],
      }
      request.answer(encodeResponse(ApiVersions, 0, correlationId, response), 0)
    } else {
      request.fail(`api key ${apiKey} in version ${apiVersion} is not served`)
    }
    return undefined
  }
  return handler
}

function serve(options: DispatchOptions, request: ServerRequest, { handler, header, body }: Asked): void {
  const { apiVersion, correlationId, clientId } = header
  const { clock, quotas, counters } = options.services
  let throttleMs = 0
  const throttle = (ms: number) => {
    throttleMs = Math.max(throttleMs, ms)
  }
  const context = contextOf(options, request, clientId, apiVersion, throttle)
  const span = options.tracing?.begin(handler.api.name, context)
  const startedMs = clock.monotonic()
  // What a request waits for takes none of this thread's time: what counts is the handler's own turn.
  let workedMs: number | undefined
  const failed = (cause: unknown) => {
    span?.failed("internal error")
    request.fail("internal error")
    if (cause instanceof ProtocolError || cause instanceof MetadataLogFull)
      options.onUnanswerable(handler.api.name, cause)
    else options.onDefect(cause)
  }
  const answer = (response: object | null, taken?: () => void) => {
    counters.answered(handler.api.name, clock.monotonic() - startedMs)
    if (response === null) {
      counters.held(throttleMs)
      span?.answered(null, 0, throttleMs)
      request.answer(null, throttleMs)
      return
    }
    throttle(quotas.worked(context, workedMs ?? clock.monotonic() - startedMs))
    counters.held(throttleMs)
    let chunks: Uint8Array[]
    try {
      chunks = encodeAnswer(handler, apiVersion, correlationId, { ...response, throttleTimeMs: throttleMs })
    } catch (cause) {
      return failed(cause)
    }
    span?.answered(response, byteCount(chunks), throttleMs)
    request.answer(chunks, throttleMs, taken)
  }
  try {
    handler.handle(body, context, options.services, answer)
  } catch (cause) {
    failed(cause)
  }
  workedMs = clock.monotonic() - startedMs
}

function byteCount(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0)
}

function encodeAnswer({ api }: AnyHandler, version: number, correlationId: number, answer: unknown): Uint8Array[] {
  try {
    return encodeResponse(api, version, correlationId, answer)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return encodeResponse(api, version, correlationId, withShortExplanations(answer))
  }
}

function isServed(handler: AnyHandler, version: number): boolean {
  return version >= handler.api.minVersion && version <= advertisedRange(handler).maxVersion
}

function contextOf(
  { authorizer, services: { refusals } }: DispatchOptions,
  { frame, listener, connection, release, fail, end }: ServerRequest,
  clientId: string | null,
  apiVersion: number,
  throttle: (ms: number) => void,
): RequestContext {
  const user = connection.authentication?.user
  const principal = user === undefined ? connection.principal : userPrincipal(user)
  const { host } = connection.remote
  const maySilently: RequestContext["maySilently"] = (operation, resource, name = CLUSTER_NAME) =>
    authorizer.isAllowed(principal, host, { operation, resource }, name)
  const denied = (operation: Operation, resource: ResourceType, resourceName: string) => {
    refusals.denied({ principal, host, operation, resource, resourceName })
    return false
  }
  return {
    principal,
    clientId,
    listener,
    apiVersion,
    requestBytes: frame.length,
    connection,
    throttle,
    release,
    fail,
    end,
    may: (operation, resource, name = CLUSTER_NAME) =>
      maySilently(operation, resource, name) || denied(operation, resource, name),
    maySilently,
    maySomewhere: (operation, resource) =>
      authorizer.isAllowedSomewhere(principal, host, operation, resource) || denied(operation, resource, "*"),
  }
}

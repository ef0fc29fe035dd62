/**
 * CreateDelegationToken (key 38), v1-3, RenewDelegationToken (39), v1-2, ExpireDelegationToken (40), v1-2, and
 * DescribeDelegationToken (41), v1-3: tokens that stand in for their owner's credentials for a while (KIP-48). v3 of the first
 * and the last: owners other than who asks (KIP-373).
 *
 * Errors: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED (a client that did not authenticate, or did with a token),
 * DELEGATION_TOKEN_AUTH_DISABLED (no delegation.token.secret.key), DELEGATION_TOKEN_AUTHORIZATION_FAILED,
 * INVALID_PRINCIPAL_TYPE, INVALID_REQUEST (a principal that is too long to be kept), DELEGATION_TOKEN_NOT_FOUND,
 * DELEGATION_TOKEN_EXPIRED, DELEGATION_TOKEN_OWNER_MISMATCH. On purpose unlike Kafka's, a token's owner is a user, as its
 * renewers are: who logs in with it is one.
 */
import { ErrorCode, fitsString } from "@millrace/protocol"
import {
  CreateDelegationToken,
  type CreateDelegationTokenRequest,
} from "@millrace/protocol/messages/create-delegation-token"
import { DescribeDelegationToken } from "@millrace/protocol/messages/describe-delegation-token"
import { ExpireDelegationToken } from "@millrace/protocol/messages/expire-delegation-token"
import { RenewDelegationToken } from "@millrace/protocol/messages/renew-delegation-token"
import { type Principal, principalOf, principalText, USER_TYPE } from "@millrace/protocol/principal"
import type { DelegationTokenRecord } from "@millrace/protocol/records/delegation-token"
import {
  createToken,
  expireToken,
  principalsOf,
  renewToken,
  type TokenLifetimes,
  type TokenChange,
} from "../controller/delegation-tokens.ts"
import type { Decision } from "../controller/topics.ts"
import type { RequestContext } from "../network/context.ts"
import type { DelegationTokens } from "../security/delegation-tokens.ts"
import { ANONYMOUS } from "../security/principal.ts"
import { type Answer, handler, type Services } from "./handler.ts"

const VERSION_REQUESTER = 3
const NO_TIMESTAMP = -1
/** In the place of one that is longer than an answer's field. */
const TOO_LONG: Principal = { principalType: "", principalName: "" }

/** A token is for who is known by something better. */
function mayAskForTokens({ connection: { authentication, principal } }: RequestContext): boolean {
  return authentication ? !authentication.byToken : principal !== ANONYMOUS
}

function requesterOf(requester: string, { apiVersion }: RequestContext) {
  if (apiVersion < VERSION_REQUESTER) return {}
  const { principalType, principalName } = fitsString(requester) ? principalOf(requester) : TOO_LONG
  return { tokenRequesterPrincipalType: principalType, tokenRequesterPrincipalName: principalName }
}

const lifetimesOf = ({ config }: Services): TokenLifetimes => ({
  maxLifetimeMs: config["delegation.token.max.lifetime.ms"],
  expiryTimeMs: config["delegation.token.expiry.time.ms"],
})

function ownerOf(
  { ownerPrincipalType, ownerPrincipalName }: CreateDelegationTokenRequest,
  requester: string,
): Principal {
  return ownerPrincipalName
    ? { principalType: ownerPrincipalType ?? "", principalName: ownerPrincipalName }
    : principalOf(requester)
}

export const createDelegationToken = handler(CreateDelegationToken, {
  permissions: [{ operation: "CREATE_TOKENS", resource: "USER" }],
  handle(request, context, services, reply) {
    const { principal: requester } = context
    const { maxLifetimeMs } = request
    const owner = ownerOf(request, requester)
    const ownerText = principalText(owner)
    const renewers = request.renewers.map(principalText)
    const principals = { ...(fitsString(ownerText) ? owner : TOO_LONG), ...requesterOf(requester, context) }
    const refuse = (errorCode: ErrorCode, timestamp = NO_TIMESTAMP) => {
      const timestamps = { issueTimestampMs: timestamp, expiryTimestampMs: timestamp, maxTimestampMs: timestamp }
      reply({ errorCode, ...principals, ...timestamps, tokenId: "", hmac: new Uint8Array(0) })
    }
    if (!mayAskForTokens(context)) return refuse(ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)
    if (ownerText !== requester && !context.may("CREATE_TOKENS", "USER", ownerText))
      return refuse(ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED)
    if ([owner, ...request.renewers].some(({ principalType }) => principalType !== USER_TYPE))
      return refuse(ErrorCode.INVALID_PRINCIPAL_TYPE)
    if (![ownerText, requester, ...renewers].every(fitsString)) return refuse(ErrorCode.INVALID_REQUEST)
    const { tokens, controller, clock, newUuid } = services
    if (!tokens) return refuse(ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED, 0)
    const creation = { owner: ownerText, requester, renewers, maxLifetimeMs }
    const token = controller.commit(createToken(creation, lifetimesOf(services), newUuid(), clock.now()))
    reply({
      errorCode: ErrorCode.NONE,
      ...principals,
      issueTimestampMs: token.issueTimestamp,
      expiryTimestampMs: token.expirationTimestamp,
      maxTimestampMs: token.maxTimestamp,
      tokenId: token.tokenId,
      hmac: tokens.hmac(token),
    })
  },
})

export const renewDelegationToken = handler(RenewDelegationToken, {
  permissions: [],
  handle({ hmac, renewPeriodMs }, context, services, reply) {
    const lifetimes = lifetimesOf(services)
    const decide = (tokens: DelegationTokens) =>
      renewToken(tokens.find(hmac), context.principal, renewPeriodMs, lifetimes, services.clock.now())
    reply(changed(context, services, decide))
  },
})

export const expireDelegationToken = handler(ExpireDelegationToken, {
  permissions: [],
  handle({ hmac, expiryTimePeriodMs }, context, services, reply) {
    const decide = (tokens: DelegationTokens) =>
      expireToken(tokens.find(hmac), context.principal, expiryTimePeriodMs, services.clock.now())
    reply(changed(context, services, decide))
  },
})

function changed(
  context: RequestContext,
  { tokens, controller }: Services,
  decide: (tokens: DelegationTokens) => Decision<TokenChange>,
): TokenChange {
  if (!mayAskForTokens(context))
    return { errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, expiryTimestampMs: NO_TIMESTAMP }
  if (!tokens) return { errorCode: ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED, expiryTimestampMs: 0 }
  return controller.commit(decide(tokens))
}

export const describeDelegationToken = handler(DescribeDelegationToken, {
  permissions: [
    { operation: "DESCRIBE", resource: "DELEGATION_TOKEN" },
    { operation: "DESCRIBE_TOKENS", resource: "USER" },
  ],
  handle({ owners }, context, { tokens, image }, reply) {
    if (!mayAskForTokens(context))
      return reply({ errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, tokens: [] })
    if (!tokens) return reply({ errorCode: ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED, tokens: [] })
    const asked = owners && new Set(owners.map(principalText))
    const maySee = (token: DelegationTokenRecord) => {
      const principals = principalsOf(token)
      if (asked && !principals.some((principal) => asked.has(principal))) return false
      return (
        principals.includes(context.principal) ||
        context.maySilently("DESCRIBE", "DELEGATION_TOKEN", token.tokenId) ||
        context.maySilently("DESCRIBE_TOKENS", "USER", token.owner)
      )
    }
    const described = (token: DelegationTokenRecord): Answer<typeof DescribeDelegationToken>["tokens"][number] => ({
      ...principalOf(token.owner),
      ...requesterOf(token.requester, context),
      issueTimestamp: token.issueTimestamp,
      expiryTimestamp: token.expirationTimestamp,
      maxTimestamp: token.maxTimestamp,
      tokenId: token.tokenId,
      hmac: tokens.hmac(token),
      renewers: token.renewers.map(principalOf),
    })
    reply({ errorCode: ErrorCode.NONE, tokens: [...image.delegationTokens()].filter(maySee).map(described) })
  },
})

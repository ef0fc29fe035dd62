/**
 * DescribeClientQuotas (key 48), v0-1: the quotas that are set, of entities that match a filter (KIP-546).
 *
 * A component asks for one name, for the default, or for any name of a type; strict asks that an entity has no other
 * types. Without components all are told, or none when strict.
 *
 * Errors: INVALID_REQUEST, UNSUPPORTED_VERSION (a type of entity that there is not), CLUSTER_AUTHORIZATION_FAILED.
 */
import { ErrorCode } from "@millrace/protocol"
import {
  DescribeClientQuotas,
  type DescribeClientQuotasRequest,
} from "@millrace/protocol/messages/describe-client-quotas"
import { Refusal } from "../controller/refusal.ts"
import { type EntityQuotas, isEntityType, type QuotaEntityType } from "../quota/client-quotas.ts"
import { handler } from "./handler.ts"

const MatchType = { EXACT: 0, DEFAULT: 1, ANY: 2 } as const

export const describeClientQuotas = handler(DescribeClientQuotas, {
  permissions: [{ operation: "DESCRIBE_CONFIGS", resource: "CLUSTER" }],
  handle(request, context, { image }, reply) {
    const refuse = (errorCode: ErrorCode, errorMessage: string | null) =>
      reply({ errorCode, errorMessage, entries: null })
    if (!context.may("DESCRIBE_CONFIGS", "CLUSTER")) return refuse(ErrorCode.CLUSTER_AUTHORIZATION_FAILED, null)
    try {
      const matches = filterOf(request)
      const entries = [...image.quotas.all()].filter(matches).map(({ entity, values }) => ({
        entity: [...entity].map(([entityType, entityName]) => ({ entityType, entityName })),
        values: [...values].map(([key, value]) => ({ key, value })),
      }))
      reply({ errorCode: ErrorCode.NONE, errorMessage: null, entries })
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
      refuse(cause.code, cause.message)
    }
  },
})

function filterOf({ components, strict }: DescribeClientQuotasRequest): (quotas: EntityQuotas) => boolean {
  /** By type: a name, null for the default, undefined for any. */
  const asked = new Map<QuotaEntityType, string | null | undefined>()
  for (const { entityType: type, matchType, match } of components) {
    if (type === "") throw new Refusal(ErrorCode.INVALID_REQUEST, "Invalid empty entity type.")
    if (!isEntityType(type)) throw new Refusal(ErrorCode.UNSUPPORTED_VERSION, `Unsupported entity type ${type}`)
    if (asked.has(type)) {
      const reason = `Entity type ${type} cannot appear more than once in the filter.`
      throw new Refusal(ErrorCode.INVALID_REQUEST, reason)
    }
    asked.set(type, askedName(matchType, match))
  }
  if (asked.has("ip") && asked.size > 1) {
    const reason = "An ip cannot be asked for together with a user or client-id."
    throw new Refusal(ErrorCode.INVALID_REQUEST, reason)
  }
  if (asked.size === 0) return () => !strict
  return ({ entity }) => {
    if (strict && entity.size !== asked.size) return false
    for (const [type, name] of asked) {
      if (!entity.has(type) || (name !== undefined && entity.get(type) !== name)) return false
    }
    return true
  }
}

function askedName(matchType: number, match: string | null): string | null | undefined {
  const refuse = (reason: string) => new Refusal(ErrorCode.INVALID_REQUEST, reason)
  if (matchType === MatchType.EXACT) {
    if (match === null) throw refuse("A match by name needs a name.")
    return match
  }
  if (matchType !== MatchType.DEFAULT && matchType !== MatchType.ANY) throw refuse(`Unknown match type ${matchType}`)
  if (match !== null) throw refuse("A match of the default, or of any name, has no name.")
  return matchType === MatchType.DEFAULT ? null : undefined
}

/**
 * Client quotas (KIP-546): what a user, a client id, both together or an address may take of each broker.
 */
import { ErrorCode } from "@millrace/protocol"
import { AlterClientQuotas } from "@millrace/protocol/messages/alter-client-quotas"
import { DescribeClientQuotas } from "@millrace/protocol/messages/describe-client-quotas"
import type { Cluster } from "../cluster.ts"
import { kafkaError } from "../errors.ts"
import { retrying } from "../network/retry.ts"

/** Whose quotas they are. null: the default, of all of that kind that have none of their own. */
export interface QuotaEntity {
  readonly user?: string | null
  readonly clientId?: string | null
  readonly ip?: string | null
}

export interface ClientQuotas {
  readonly entity: QuotaEntity
  /** By Kafka's name, such as `producer_byte_rate`; bytes a second, percent, partitions or connections a second. */
  readonly quotas: Readonly<Record<string, number>>
}

export interface QuotaAlteration {
  readonly entity: QuotaEntity
  /** null removes one. */
  readonly quotas: Readonly<Record<string, number | null>>
}

const TYPES = { user: "user", clientId: "client-id", ip: "ip" } as const satisfies Readonly<
  Record<keyof QuotaEntity, string>
>
const KINDS = Object.keys(TYPES) as readonly (keyof QuotaEntity)[]
const MatchType = { EXACT: 0, DEFAULT: 1 } as const

const partsOf = (entity: QuotaEntity) =>
  KINDS.flatMap((kind) => {
    const entityName = entity[kind]
    return entityName === undefined ? [] : [{ entityType: TYPES[kind], entityName }]
  })

const entityOf = (parts: readonly { readonly entityType: string; readonly entityName: string | null }[]) =>
  Object.fromEntries(
    parts.map(({ entityType, entityName }) => [KINDS.find((kind) => TYPES[kind] === entityType), entityName]),
  ) as QuotaEntity

const named = (entity: QuotaEntity): string =>
  partsOf(entity)
    .map(({ entityType, entityName }) => (entityName === null ? `any ${entityType}` : `${entityType} ${entityName}`))
    .join(" and ")

/** Rejects with the first refusal; what else was asked for is done. */
export async function alterClientQuotas(cluster: Cluster, alterations: readonly QuotaAlteration[]): Promise<void> {
  const entries = alterations.map(({ entity, quotas }) => ({
    entity: partsOf(entity),
    ops: Object.entries(quotas).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
  }))
  await retrying(cluster.env, { what: "altering client quotas" }, async (attempts) => {
    const connection = await cluster.controller()
    const answer = await attempts.sent(connection.request(AlterClientQuotas, { entries, validateOnly: false }))
    for (const { errorCode, errorMessage, entity } of answer.entries)
      if (errorCode !== ErrorCode.NONE)
        throw kafkaError(errorCode, `the quotas of ${named(entityOf(entity))}`, errorMessage)
  })
}

/** The quotas that are set, of entities that have all parts of `filter`, others beside them or not. */
export async function describeClientQuotas(cluster: Cluster, filter: QuotaEntity = {}): Promise<ClientQuotas[]> {
  const what = "describing client quotas"
  const components = partsOf(filter).map(({ entityType, entityName: match }) => ({
    ...{ entityType, match, matchType: match === null ? MatchType.DEFAULT : MatchType.EXACT },
  }))
  return retrying(cluster.env, { what }, async () => {
    const connection = await cluster.controller()
    const answer = await connection.request(DescribeClientQuotas, { components, strict: false })
    if (answer.errorCode !== ErrorCode.NONE) throw kafkaError(answer.errorCode, what, answer.errorMessage)
    return (answer.entries ?? []).map(({ entity, values }) => ({
      entity: entityOf(entity),
      quotas: Object.fromEntries(values.map(({ key, value }) => [key, value])),
    }))
  })
}

/**
 * The quotas that are set: of users, of client ids, of both together, and of addresses (KIP-13, KIP-124, KIP-546, KIP-599,
 * KIP-612). Null as a name stands for all that have none of their own.
 *
 * The most specific one counts for a client, and says who shares it: all clients of a user, all connections with a client
 * id, or those of one user with one client id.
 */
import type { ClientQuotaRecord } from "@millrace/protocol/records/client-quota"

export const ENTITY_TYPES = ["user", "client-id", "ip"] as const
export type QuotaEntityType = (typeof ENTITY_TYPES)[number]
export const isEntityType = (type: string): type is QuotaEntityType =>
  (ENTITY_TYPES as readonly string[]).includes(type)
/** Types that are not in it do not matter. */
export type QuotaEntity = ReadonlyMap<QuotaEntityType, string | null>

/** Bytes per second; percent of a thread; partitions created and deleted per second; connections per second. */
export const CLIENT_QUOTAS = [
  "producer_byte_rate",
  "consumer_byte_rate",
  "request_percentage",
  "controller_mutation_rate",
] as const
export const IP_QUOTA = "connection_creation_rate"
export type ClientQuotaKey = (typeof CLIENT_QUOTAS)[number]
export type QuotaKey = ClientQuotaKey | typeof IP_QUOTA

export interface EntityQuotas {
  readonly entity: QuotaEntity
  readonly values: ReadonlyMap<string, number>
}

/** What a client is held to, and with whom it shares that. */
export interface Allowance {
  readonly limit: number
  readonly sharedBy: string
}

export class ClientQuotas {
  readonly #entities = new Map<string, { readonly entity: QuotaEntity; readonly values: Map<string, number> }>()
  /** By key of a quota, how many entities have one. */
  readonly #set = new Map<string, number>()

  all(): Iterable<EntityQuotas> {
    return this.#entities.values()
  }

  of(entity: QuotaEntity): ReadonlyMap<string, number> | undefined {
    return this.#entities.get(nameOf(entity))?.values
  }

  replay({ entity: parts, key, value, remove }: ClientQuotaRecord): void {
    const entity: QuotaEntity = new Map(
      parts.map(({ entityType, entityName }) => [entityType as QuotaEntityType, entityName]),
    )
    const name = nameOf(entity)
    const known = this.#entities.get(name) ?? { entity, values: new Map<string, number>() }
    const count = this.#set.get(key) ?? 0
    if (remove) {
      if (known.values.delete(key)) this.#set.set(key, count - 1)
      if (known.values.size === 0) this.#entities.delete(name)
      return
    }
    if (!known.values.has(key)) this.#set.set(key, count + 1)
    known.values.set(key, value)
    this.#entities.set(name, known)
  }

  isSet(key: QuotaKey): boolean {
    return (this.#set.get(key) ?? 0) > 0
  }

  allowance(key: ClientQuotaKey, user: string, clientId: string): Allowance | undefined {
    const both = place(user, clientId)
    const theUser = place(user, undefined)
    return (
      this.#limit(key, both, both) ??
      this.#limit(key, place(user, null), both) ??
      this.#limit(key, theUser, theUser) ??
      this.#limit(key, place(null, clientId), both) ??
      this.#limit(key, place(null, null), both) ??
      this.#limit(key, place(null, undefined), theUser) ??
      this.#limit(key, place(undefined, clientId), place(undefined, clientId)) ??
      this.#limit(key, place(undefined, null), place(undefined, clientId))
    )
  }

  /** Connections per second from this address; undefined for any number. */
  connectionRate(ip: string): number | undefined {
    if (!this.isSet(IP_QUOTA)) return undefined
    const of = (name: string | null) => this.#entities.get(place(undefined, undefined, name))?.values.get(IP_QUOTA)
    return of(ip) ?? of(null)
  }

  #limit(key: ClientQuotaKey, name: string, sharedBy: string): Allowance | undefined {
    const limit = this.#entities.get(name)?.values.get(key)
    return limit === undefined ? undefined : { limit, sharedBy }
  }
}

type Part = string | null | undefined

/** Distinct for every entity: lengths say where the name of a user ends. */
function place(user: Part, clientId: Part, ip?: Part): string {
  const part = (name: Part) => (name === undefined ? "-" : name === null ? "*" : `${name.length}:${name}`)
  return `${part(user)} ${part(clientId)} ${part(ip)}`
}

const nameOf = (entity: QuotaEntity) => place(entity.get("user"), entity.get("client-id"), entity.get("ip"))

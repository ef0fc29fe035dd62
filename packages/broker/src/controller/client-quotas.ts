/**
 * Decisions about client quotas (KIP-546). An entity is a user, a client id, both, or an address; one that is refused
 * leaves the others of its request alone.
 */
import { ErrorCode } from "@millrace/protocol"
import type {
  AlterClientQuotasRequest,
  AlterClientQuotasResponse,
} from "@millrace/protocol/messages/alter-client-quotas"
import {
  CLIENT_QUOTAS,
  IP_QUOTA,
  isEntityType,
  type QuotaEntity,
  type QuotaEntityType,
} from "../quota/client-quotas.ts"
import type { MetadataImage } from "./image.ts"
import type { MetadataRecord } from "./records.ts"
import { outcomeOf, Refusal } from "./refusal.ts"
import type { Decision } from "./topics.ts"

type Entry = AlterClientQuotasRequest["entries"][number]
type Results = AlterClientQuotasResponse["entries"]

/** Quotas that have no fractions. Beyond 2^53 there is nothing to tell apart. */
const WHOLE: ReadonlySet<string> = new Set(["producer_byte_rate", "consumer_byte_rate", IP_QUOTA])
const CONNECTIONS_MAX = 2_147_483_647
/** Values that differ less are taken for whole ones. */
const FRACTION_MIN = 1e-6

export function alterClientQuotas(
  image: MetadataImage,
  { entries, validateOnly }: AlterClientQuotasRequest,
): Decision<Results> {
  const records: MetadataRecord[] = []
  const seen = new Set<string>()
  const response = entries.map((entry): Results[number] => {
    const name = JSON.stringify([...entry.entity].sort((a, b) => (a.entityType < b.entityType ? -1 : 1)))
    const outcome = outcomeOf(() => {
      if (seen.has(name)) throw invalid("An entity cannot be altered twice in the same request")
      seen.add(name)
      for (const record of changesOf(image, entry)) records.push(record)
    })
    return { ...outcome, entity: entry.entity }
  })
  return { records: validateOnly ? [] : records, response }
}

const invalid = (message: string) => new Refusal(ErrorCode.INVALID_REQUEST, message)

function changesOf(image: MetadataImage, { entity: parts, ops }: Entry): MetadataRecord[] {
  const entity = entityOf(parts)
  const known = image.quotas.of(entity)
  const keys: readonly string[] = entity.has("ip") ? [IP_QUOTA] : CLIENT_QUOTAS
  const changed = new Set<string>()
  return ops.flatMap(({ key, value, remove }): MetadataRecord[] => {
    if (changed.has(key)) throw invalid(`Duplicate quota key ${key}`)
    changed.add(key)
    if (remove ? !known?.has(key) : known?.get(key) === value) return []
    if (!remove) checkValue(keys, key, value)
    const data = { entity: parts, key, value: remove ? 0 : value, remove }
    return [{ type: "ClientQuotaRecord", data }]
  })
}

function entityOf(parts: Entry["entity"]): QuotaEntity {
  if (parts.length === 0) throw invalid("Invalid empty client quota entity")
  const entity = new Map<QuotaEntityType, string | null>()
  for (const { entityType: type, entityName } of parts) {
    if (!isEntityType(type)) throw invalid(`Unhandled client quota entity type: ${type}`)
    if (entity.has(type)) throw invalid(`Invalid client quota entity, duplicate entity entry ${type}`)
    if (entityName === "") throw invalid(`Empty ${type} not supported`)
    entity.set(type, entityName)
  }
  if (!entity.has("ip")) return entity
  if (entity.size > 1) throw invalid("Invalid quota entity combination: an ip has quotas of its own alone")
  const ip = entity.get("ip")
  if (typeof ip === "string" && !isIpAddress(ip)) throw invalid(`${ip} is not a valid IP address`)
  return entity
}

function checkValue(keys: readonly string[], key: string, value: number): void {
  if (!keys.includes(key)) throw invalid(`Invalid configuration key ${key}; there are ${keys.join(", ")}`)
  if (!(value > 0)) throw invalid(`Quota ${key} must be greater than 0`)
  if (!WHOLE.has(key)) return
  if (key === IP_QUOTA && value > CONNECTIONS_MAX) throw invalid(`Proposed value for ${key} is too large for an INT.`)
  if (Math.abs(value % 1) > FRACTION_MIN) throw invalid(`${key} cannot be a fractional value.`)
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/

function isIpAddress(text: string): boolean {
  return IPV4.test(text) || (text.includes(":") && URL.canParse(`http://[${text}]`))
}

/**
 * One entry of the message table: a name, the versions it may have, which of them are flexible (KIP-482), its fields.
 * Building one costs a few object literals; codecs are made on first use, per version, and kept in `codecs`.
 *
 * An `Api` is a request and a response under one key. Kafka gives both the same versions and the same first flexible
 * version, so they are stated once, in `api-keys.ts`.
 */
import { type ApiName, apiKeys } from "../api-keys.ts"
import type { Codec } from "./codec.ts"
import type { Fields } from "./field.ts"
import type { DecodedFields, EncodableFields } from "./infer.ts"
import { versionRange } from "./version-range.ts"

// oxlint-disable-next-line typescript/no-explicit-any -- `Message` alone means a message of whatever type
export interface Message<D = any, E = D> {
  readonly name: string
  /** Valid versions, as "3-13". */
  readonly versions: string
  /** Flexible versions, as "9+" or "none". */
  readonly flexible: string
  readonly fields: Fields
  /** Compiled codecs by version; owned by `codec.ts`. */
  readonly codecs: (Codec | undefined)[]
  /** Types only; never present. */
  readonly yields?: D
  readonly accepts?: (value: E) => void
}

/** A data record, stored in a log: `key` is its type there, what Kafka calls the record's api key. */
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export interface RecordMessage<D = any, E = D> extends Message<D, E> {
  readonly key: number
  readonly maxVersion: number
}

// oxlint-disable-next-line typescript/no-explicit-any -- `Api` alone means an API of whatever types
export interface Api<Req = any, Res = any, ReqIn = Req, ResIn = Res> {
  readonly key: number
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** First version with tagged fields and compact forms; NO_FLEXIBLE_VERSION when there is none. */
  readonly flexibleFrom: number
  /** A last version that Kafka does not advertise yet. */
  readonly latestUnstable?: number
  readonly request: Message<Req, ReqIn>
  readonly response: Message<Res, ResIn>
}

export function message<F extends Fields>(
  name: string,
  versions: string,
  flexible: string,
  fields: F,
): Message<DecodedFields<F>, EncodableFields<F>> {
  return { name, versions, flexible, fields, codecs: [] }
}

export function record<F extends Fields>(
  key: number,
  name: string,
  versions: string,
  flexible: string,
  fields: F,
): RecordMessage<DecodedFields<F>, EncodableFields<F>> {
  return { key, maxVersion: versionRange(versions).max, ...message(name, versions, flexible, fields) }
}

export function api<Q extends Fields, S extends Fields>(
  name: ApiName,
  request: Q,
  response: S,
): Api<DecodedFields<Q>, DecodedFields<S>, EncodableFields<Q>, EncodableFields<S>> {
  const { key, min, max, flexibleFrom, latestUnstable } = apiKeys[name]
  const versions = min === max ? `${min}` : `${min}-${max}`
  const flexible = flexibleFrom > max ? "none" : `${flexibleFrom}+`
  return {
    key,
    name,
    minVersion: min,
    maxVersion: max,
    flexibleFrom,
    ...(latestUnstable === undefined ? {} : { latestUnstable }),
    request: message(`${name}Request`, versions, flexible, request),
    response: message(`${name}Response`, versions, flexible, response),
  }
}

/** Arbitrary values of every message in every version, made from the same table that the codecs are made from. */
import fc from "fast-check"
import { INT64_MAX, INT64_MIN } from "../src/bytes/int64.ts"
import { uuidFromBytes, ZERO_UUID } from "../src/bytes/uuid.ts"
import { apis } from "../src/messages/index.ts"
import { RequestHeader, ResponseHeader } from "../src/messages/headers.ts"
import {
  dataMessages,
  groupRecords,
  metadataRecords,
  remoteLogRecords,
  shareStateRecords,
  transactionRecords,
} from "../src/records/index.ts"
import type { ScalarType } from "../src/schema/field.ts"
import type { Message } from "../src/schema/message.ts"
import { defaultOf, type PlannedField, type PlannedStruct, planOf } from "../src/schema/plan.ts"
import { versionRange } from "../src/schema/version-range.ts"

export const allMessages: readonly Message[] = [
  ...[...apis.values()].flatMap((api) => [api.request, api.response]),
  ...[groupRecords, transactionRecords, shareStateRecords].flatMap((records) =>
    [...records.values()].flatMap((record) => [record.key, record.value]),
  ),
  ...metadataRecords.values(),
  ...remoteLogRecords.values(),
  ...dataMessages,
  RequestHeader,
  ResponseHeader,
]

export const allVersions: readonly (readonly [name: string, version: number, message: Message])[] = allMessages.flatMap(
  (message) => {
    const { min, max } = versionRange(message.versions)
    return Array.from({ length: max - min + 1 }, (_, i) => [message.name, min + i, message] as const)
  },
)

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 12 }) },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme", maxLength: 30 }) },
  { weight: 1, arbitrary: fc.string({ minLength: 40, maxLength: 200 }) },
)
const octets = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))

const scalars: Record<ScalarType, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.oneof(fc.integer(), fc.integer({ min: -2, max: 200 })),
  uint32: fc.integer({ min: 0, max: 0xffffffff }),
  int64: fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -2, max: 200 }), fc.constantFrom(INT64_MAX, INT64_MIN)),
  float64: fc.double({ noNaN: true }),
  uuid: fc.oneof(
    fc.constant(ZERO_UUID),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => uuidFromBytes(bytes)),
  ),
  string: text,
  bytes: octets,
  records: octets,
}

/** Complete values: every field that the version has is given, the others have their defaults. */
export function complete(plan: PlannedStruct): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(plan.fields.map((field) => [field.name, fieldValue(field)])))
}

function fieldValue(field: PlannedField): fc.Arbitrary<unknown> {
  if (!field.present) return fc.constant(field.name).map(() => plain(defaultOf(field)))
  const value = presentValue(field)
  const sometimes = field.nullable
    ? fc.oneof({ weight: 1, arbitrary: fc.constant(null) }, { weight: 4, arbitrary: value })
    : value
  if (field.tag < 0 || (field.fallback === null && !field.nullable)) return sometimes
  return fc.oneof(
    { weight: 3, arbitrary: sometimes },
    { weight: 1, arbitrary: fc.constant(0).map(() => plain(defaultOf(field))) },
  )
}

function presentValue(field: PlannedField): fc.Arbitrary<unknown> {
  if (field.type === "struct") return complete(field.struct!)
  if (field.type !== "array") return scalars[field.type]
  const element = field.element === "struct" ? complete(field.struct!) : scalars[field.element!]
  return fc.oneof(
    { weight: 12, arbitrary: fc.array(element, { maxLength: 2 }) },
    { weight: 1, arbitrary: fc.array(element, { maxLength: 9 }) },
  )
}

/** Default bytes as the Buffer that decoding yields, so that deep equality compares content. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}

export function completeValue(message: Message, version: number): fc.Arbitrary<Record<string, unknown>> {
  return complete(planOf(message, version))
}

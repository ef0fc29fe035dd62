/**
 * Metadata records of access rules; each has an id, by which it is removed (KIP-801).
 */
import { int8, string, uuid } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const AccessControlEntryRecord = record(18, "AccessControlEntryRecord", "0", "0+", {
  id: uuid("0+"),
  resourceType: int8("0+"),
  resourceName: string("0+"),
  patternType: int8("0+"),
  principal: string("0+"),
  host: string("0+"),
  operation: int8("0+"),
  permissionType: int8("0+"),
})
export type AccessControlEntryRecord = Decoded<typeof AccessControlEntryRecord>

export const RemoveAccessControlEntryRecord = record(19, "RemoveAccessControlEntryRecord", "0", "0+", {
  id: uuid("0+"),
})
export type RemoveAccessControlEntryRecord = Decoded<typeof RemoveAccessControlEntryRecord>

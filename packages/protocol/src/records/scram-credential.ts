/**
 * Metadata records of users' SCRAM credentials: salted keys, never a password (KIP-900).
 */
import { bytes, int32, int8, string } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const UserScramCredentialRecord = record(11, "UserScramCredentialRecord", "0", "0+", {
  name: string("0+"),
  mechanism: int8("0+"),
  salt: bytes("0+"),
  storedKey: bytes("0+"),
  serverKey: bytes("0+"),
  iterations: int32("0+"),
})
export type UserScramCredentialRecord = Decoded<typeof UserScramCredentialRecord>

export const RemoveUserScramCredentialRecord = record(22, "RemoveUserScramCredentialRecord", "0", "0+", {
  name: string("0+"),
  mechanism: int8("0+"),
})
export type RemoveUserScramCredentialRecord = Decoded<typeof RemoveUserScramCredentialRecord>

/**
 * Metadata records of delegation tokens; the secret itself is derived from the cluster's key (KIP-900).
 */
import { int64, string, strings } from "../schema/field.ts"
import type { Decoded } from "../schema/infer.ts"
import { record } from "../schema/message.ts"

export const DelegationTokenRecord = record(10, "DelegationTokenRecord", "0", "0+", {
  owner: string("0+"),
  requester: string("0+"),
  renewers: strings("0+"),
  issueTimestamp: int64("0+"),
  maxTimestamp: int64("0+"),
  expirationTimestamp: int64("0+"),
  tokenId: string("0+"),
})
export type DelegationTokenRecord = Decoded<typeof DelegationTokenRecord>

export const RemoveDelegationTokenRecord = record(26, "RemoveDelegationTokenRecord", "0", "0+", {
  tokenId: string("0+"),
})
export type RemoveDelegationTokenRecord = Decoded<typeof RemoveDelegationTokenRecord>

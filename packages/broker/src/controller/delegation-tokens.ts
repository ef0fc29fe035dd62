/**
 * Decisions about delegation tokens (KIP-48): who may renew or end one, and when it ends.
 *
 *   issued ──────── expires unless renewed ──────── expires for good
 *           expiry.time.ms, again and again    max.lifetime.ms
 *
 * The owner may be another than who asked for it (KIP-373); either of them and the renewers see it, the owner and the
 * renewers renew it. Principals are texts, `User:alice`.
 */
import { ErrorCode, INT64_MAX } from "@millrace/protocol"
import type { DelegationTokenRecord } from "@millrace/protocol/records/delegation-token"
import type { MetadataImage } from "./image.ts"
import type { MetadataRecord } from "./records.ts"
import type { Decision } from "./topics.ts"

/** How long tokens may be good for. */
export interface TokenLifetimes {
  /** delegation.token.max.lifetime.ms */
  readonly maxLifetimeMs: number
  /** delegation.token.expiry.time.ms */
  readonly expiryTimeMs: number
}

export interface TokenCreation {
  readonly owner: string
  readonly requester: string
  readonly renewers: readonly string[]
  /** Not above 0: as long as it may be. */
  readonly maxLifetimeMs: number
}

export interface TokenChange {
  readonly errorCode: ErrorCode
  readonly expiryTimestampMs: number
}

/** Most records of one batch. */
const REMOVALS_MAX = 1_000

export function createToken(
  { owner, requester, renewers, maxLifetimeMs }: TokenCreation,
  lifetimes: TokenLifetimes,
  tokenId: string,
  now: number,
): Decision<DelegationTokenRecord> {
  const maxTimestamp = after(now, shorter(lifetimes.maxLifetimeMs, maxLifetimeMs))
  const token: DelegationTokenRecord = {
    ...{ tokenId, owner, requester, renewers: [...renewers], issueTimestamp: now, maxTimestamp },
    expirationTimestamp: Math.min(maxTimestamp, after(now, lifetimes.expiryTimeMs)),
  }
  return { records: [{ type: "DelegationTokenRecord", data: token }], response: token }
}

export function renewToken(
  token: DelegationTokenRecord | undefined,
  principal: string,
  renewPeriodMs: number,
  { expiryTimeMs }: TokenLifetimes,
  now: number,
): Decision<TokenChange> {
  if (token === undefined) return refused(ErrorCode.DELEGATION_TOKEN_NOT_FOUND)
  if (isExpired(token, now)) return refused(ErrorCode.DELEGATION_TOKEN_EXPIRED)
  if (!mayRenew(token, principal)) return refused(ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH)
  return expiresAt(token, after(now, shorter(expiryTimeMs, renewPeriodMs)))
}

/** A negative period ends the token at once. */
export function expireToken(
  token: DelegationTokenRecord | undefined,
  principal: string,
  expiryTimePeriodMs: number,
  now: number,
): Decision<TokenChange> {
  if (token === undefined) return refused(ErrorCode.DELEGATION_TOKEN_NOT_FOUND)
  if (!mayRenew(token, principal)) return refused(ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH)
  if (expiryTimePeriodMs < 0)
    return { records: [removal(token)], response: { errorCode: ErrorCode.NONE, expiryTimestampMs: now } }
  if (isExpired(token, now)) return refused(ErrorCode.DELEGATION_TOKEN_EXPIRED)
  return expiresAt(token, after(now, expiryTimePeriodMs))
}

/** Answers whether there may be more of them, for the next batch. */
export function removeExpiredTokens(image: MetadataImage, now: number): Decision<boolean> {
  const records: MetadataRecord[] = []
  for (const token of image.delegationTokens()) {
    if (!isExpired(token, now)) continue
    records.push(removal(token))
    if (records.length === REMOVALS_MAX) return { records, response: true }
  }
  return { records, response: false }
}

export const isExpired = ({ maxTimestamp, expirationTimestamp }: DelegationTokenRecord, now: number): boolean =>
  maxTimestamp < now || expirationTimestamp < now

/** Whose it is, in one way or another. */
export const principalsOf = ({ owner, requester, renewers }: DelegationTokenRecord): string[] => [
  owner,
  requester,
  ...renewers,
]

const mayRenew = ({ owner, renewers }: DelegationTokenRecord, principal: string): boolean =>
  owner === principal || renewers.includes(principal)

/** The end of time where it would be later. */
function after(now: number, ms: number): number {
  const at = now + ms
  return Number.isSafeInteger(at) ? at : INT64_MAX
}

const shorter = (limitMs: number, askedMs: number): number => (askedMs > 0 ? Math.min(limitMs, askedMs) : limitMs)

const refused = (errorCode: ErrorCode): Decision<TokenChange> => ({
  records: [],
  response: { errorCode, expiryTimestampMs: 0 },
})

const removal = ({ tokenId }: DelegationTokenRecord): MetadataRecord => ({
  type: "RemoveDelegationTokenRecord",
  data: { tokenId },
})

function expiresAt(token: DelegationTokenRecord, asked: number): Decision<TokenChange> {
  const expirationTimestamp = Math.min(token.maxTimestamp, asked)
  return {
    records: [{ type: "DelegationTokenRecord", data: { ...token, expirationTimestamp } }],
    response: { errorCode: ErrorCode.NONE, expiryTimestampMs: expirationTimestamp },
  }
}

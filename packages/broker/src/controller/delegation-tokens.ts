/**
 * Decisions about delegation tokens (KIP-48): who may renew or end one, and when it ends.
 *
 *   issued ──────── expires unless renewed ──────── expires for good
 *           expiry.time.ms, again and again    max.lifetime.ms
 *
 * The owner may be another than who asked for it (KIP-373); either of them and the renewers see it, the owner and the
 * renewers renew it. Principals are texts, `User:alice`.
 */
import { ErrorCode } from "@millrace/protocol"
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

/** Most records of one batch: what is left over is removed the next time. */
const REMOVALS_MAX = 1_000

export function createToken(
  { owner, requester, renewers, maxLifetimeMs }: TokenCreation,
  lifetimes: TokenLifetimes,
  tokenId: string,
  now: number,
): Decision<DelegationTokenRecord> {
  const maxTimestamp = now + shorter(lifetimes.maxLifetimeMs, maxLifetimeMs)
  const token: DelegationTokenRecord = {
    ...{ tokenId, owner, requester, renewers: [...renewers], issueTimestamp: now, maxTimestamp },
    expirationTimestamp: Math.min(maxTimestamp, now + lifetimes.expiryTimeMs),
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
  return expiresAt(token, now + shorter(expiryTimeMs, renewPeriodMs))
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
  return expiresAt(token, now + expiryTimePeriodMs)
}

export function removeExpiredTokens(image: MetadataImage, now: number): MetadataRecord[] {
  return [...image.delegationTokens()]
    .filter((token) => isExpired(token, now))
    .slice(0, REMOVALS_MAX)
    .map(removal)
}

export const isExpired = ({ maxTimestamp, expirationTimestamp }: DelegationTokenRecord, now: number): boolean =>
  maxTimestamp < now || expirationTimestamp < now

export const isOfToken = ({ owner, requester, renewers }: DelegationTokenRecord, principal: string): boolean =>
  owner === principal || requester === principal || renewers.includes(principal)

const mayRenew = ({ owner, renewers }: DelegationTokenRecord, principal: string): boolean =>
  owner === principal || renewers.includes(principal)

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

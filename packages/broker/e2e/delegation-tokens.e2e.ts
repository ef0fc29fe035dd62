/** Delegation tokens on a listener with TLS and SASL, beside that of a real Apache Kafka (KIP-48, KIP-373). */
import { CreateDelegationToken } from "@millrace/protocol/messages/create-delegation-token"
import { DescribeDelegationToken } from "@millrace/protocol/messages/describe-delegation-token"
import { ExpireDelegationToken } from "@millrace/protocol/messages/expire-delegation-token"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { RenewDelegationToken } from "@millrace/protocol/messages/renew-delegation-token"
import { ErrorCode } from "@millrace/protocol"
import { describe } from "vitest"
import { versionsOf } from "./broker-topics.ts"
import type { Login } from "./login.ts"
import { bytes, compare, differs, hasSecureBrokers, oracle } from "./oracle.ts"
import type { Side } from "./side.ts"

oracle({ isSecure: true })

const alice: Login = { mechanism: "PLAIN", user: "alice", password: "secret" }
const bob: Login = { ...alice, user: "bob" }
const VERSION_OWNER = 3
const HOUR_MS = 3_600_000

interface Token {
  readonly tokenId: string
  readonly hmac: Uint8Array
}

const tokenLogin = (
  { tokenId, hmac }: Token,
  mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512" = "SCRAM-SHA-256",
): Login => ({
  ...{ mechanism, user: tokenId, password: Buffer.from(hmac).toString("base64"), isToken: true },
})

const user = (principalName: string, principalType = "User") => ({ principalType, principalName })

async function create(side: Side, who: Login, version: number, wanted: object = {}): Promise<Token> {
  const owner = version >= VERSION_OWNER ? { ownerPrincipalType: null, ownerPrincipalName: null } : {}
  const request = { ...owner, renewers: [], maxLifetimeMs: -1, ...wanted }
  const answer = await side.tellAs(who, CreateDelegationToken, version, request as never)
  if (answer === undefined) throw new Error("no token was made")
  const { issueTimestampMs: issued, expiryTimestampMs, maxTimestampMs } = answer
  side.note("lifetimes", [expiryTimestampMs - issued, maxTimestampMs - issued])
  return answer
}

const seen = async (side: Side, who: Login, owners: object[] | null) => {
  const answer = await side.askAs(who, DescribeDelegationToken, 3, { owners } as never)
  return typeof answer === "string" ? [] : answer.tokens
}

/** Kafka's broker hears of what its controller wrote a moment later. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo()));
}

const hears = (side: Side, { tokenId }: Token) =>
  until(async () => (await seen(side, alice, null)).some((token) => token.tokenId === tokenId))

/** Takes the tokens of a scene away, so that the next one begins without. */
async function withoutTokens(side: Side): Promise<void> {
  for (const who of [alice, bob]) {
    for (const { hmac } of await seen(side, who, null))
      await side.askAs(who, ExpireDelegationToken, 2, { hmac, expiryTimePeriodMs: -1 })
  }
  await until(async () => (await seen(side, alice, null)).length === 0)
}

describe.runIf(hasSecureBrokers)("on a listener with SASL", () => {
  compare("all versions of CreateDelegationToken", async (side) => {
    for (const version of versionsOf(CreateDelegationToken)) {
      for (const maxLifetimeMs of [-1, 0, HOUR_MS, 1e15]) {
        const token = await create(side, alice, version, { maxLifetimeMs, renewers: [user("bob"), user("bob")] })
        await hears(side, token)
      }
      await create(side, alice, version, { renewers: [user("bob"), user("g", "Group")] })
      await create(side, alice, version, { renewers: [user("", "")] })
      if (version < VERSION_OWNER) continue
      await create(side, alice, version, { ownerPrincipalType: "User", ownerPrincipalName: "alice" })
      await create(side, alice, version, { ownerPrincipalType: "Group", ownerPrincipalName: "" })
      const ofBob = await create(side, alice, version, { ownerPrincipalType: "User", ownerPrincipalName: "bob" })
      await hears(side, ofBob)
      await side.tellAs(bob, DescribeDelegationToken, 3, { owners: [user("bob")] } as never)
    }
    for (const version of versionsOf(DescribeDelegationToken)) {
      for (const owners of [
        null,
        [],
        [user("alice")],
        [user("bob")],
        [user("nobody"), user("alice")],
        [user("alice", "Group")],
      ])
        await side.tellAs(alice, DescribeDelegationToken, version, { owners } as never)
    }
    await withoutTokens(side)
  })

  compare("all versions of RenewDelegationToken and ExpireDelegationToken", async (side) => {
    for (const version of versionsOf(RenewDelegationToken)) {
      const token = await create(side, alice, 3, { maxLifetimeMs: 2 * HOUR_MS, renewers: [] })
      await hears(side, token)
      const { hmac } = token
      const renew = (who: Login, renewPeriodMs: number, of = hmac) =>
        side.tellAs(who, RenewDelegationToken, version, { hmac: of, renewPeriodMs })
      const expire = (who: Login, expiryTimePeriodMs: number, of = hmac) =>
        side.tellAs(who, ExpireDelegationToken, version, { hmac: of, expiryTimePeriodMs })
      for (const other of [bytes(""), bytes("other")]) {
        await renew(alice, -1, other)
        await expire(alice, -1, other)
      }
      await renew(bob, -1)
      await expire(bob, -1)
      for (const periodMs of [-1, 0, HOUR_MS, 1e15]) await renew(alice, periodMs)
      for (const periodMs of [HOUR_MS, 1e15]) await expire(alice, periodMs)
      await expire(alice, -1)
      await until(async () => (await seen(side, alice, null)).length === 0)
      await renew(alice, -1)
      await expire(alice, -1)
    }
  })

  compare("who comes in with a token gets no further ones", async (side) => {
    const token = await create(side, alice, 3, { renewers: [user("bob")] })
    await hears(side, token)
    for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
      const owner = tokenLogin(token, mechanism)
      const answer = await side.askAs(owner, Metadata, 12, { topics: [], allowAutoTopicCreation: false } as never)
      side.note("let in", typeof answer !== "string")
      for (const version of versionsOf(CreateDelegationToken)) await create(side, owner, version)
      for (const version of versionsOf(DescribeDelegationToken))
        await side.tellAs(owner, DescribeDelegationToken, version, { owners: null })
      const { hmac } = token
      for (const version of versionsOf(RenewDelegationToken)) {
        await side.tellAs(owner, RenewDelegationToken, version, { hmac, renewPeriodMs: -1 })
        await side.tellAs(owner, ExpireDelegationToken, version, { hmac, expiryTimePeriodMs: -1 })
      }
    }
    for (const wrong of [
      tokenLogin({ ...token, hmac: bytes("other") }),
      tokenLogin({ ...token, tokenId: "other" }),
      { ...tokenLogin(token), isToken: false } as Login,
    ]) {
      await side.tellAs(wrong, DescribeDelegationToken, 3, { owners: null })
    }
    await withoutTokens(side)
    await side.tellAs(tokenLogin(token), DescribeDelegationToken, 3, { owners: null })
  })

  compare("expired tokens are removed", async (side) => {
    const token = await create(side, alice, 3, { maxLifetimeMs: 1 })
    // The controller is asked: a broker that has not heard of the token shows none either.
    const renewal = { hmac: token.hmac, renewPeriodMs: -1 }
    await until(async () => {
      const answer = await side.askAs(alice, RenewDelegationToken, 2, renewal)
      return typeof answer !== "string" && answer.errorCode === ErrorCode.DELEGATION_TOKEN_NOT_FOUND
    })
    await until(async () => (await seen(side, alice, null)).length === 0)
    await side.tellAs(alice, RenewDelegationToken, 2, renewal)
    await side.tellAs(tokenLogin(token), DescribeDelegationToken, 3, { owners: null })
  })

  differs(
    "Kafka makes tokens of owners that are no users, whose holder is the user of that name all the same",
    async (side) => {
      const ofGroup = { ownerPrincipalType: "Group", ownerPrincipalName: "bob", renewers: [], maxLifetimeMs: HOUR_MS }
      const answer = await side.askAs(alice, CreateDelegationToken, 3, ofGroup)
      return typeof answer === "string" ? answer : answer.errorCode
    },
    { ours: 67, kafkas: 0 },
  )
})

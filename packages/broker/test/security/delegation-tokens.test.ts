/** Delegation tokens through frames: who gets one, who comes in with one, and when they end (KIP-48, KIP-373). */
import { type Clock, type Host } from "@millrace/host"
import { nodeHost } from "@millrace/host/node"
import { ErrorCode, INT64_MAX } from "@millrace/protocol"
import { CreateAcls } from "@millrace/protocol/messages/create-acls"
import {
  CreateDelegationToken,
  type CreateDelegationTokenResponse,
} from "@millrace/protocol/messages/create-delegation-token"
import { DescribeConfigs } from "@millrace/protocol/messages/describe-configs"
import { DescribeDelegationToken } from "@millrace/protocol/messages/describe-delegation-token"
import { ExpireDelegationToken } from "@millrace/protocol/messages/expire-delegation-token"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { RenewDelegationToken } from "@millrace/protocol/messages/renew-delegation-token"
import { SaslAuthenticate } from "@millrace/protocol/messages/sasl-authenticate"
import { SaslHandshake } from "@millrace/protocol/messages/sasl-handshake"
import { expect, test } from "vitest"
import { type Client, start, type Started } from "../harness.ts"
import { scramLogin } from "./scram-login.ts"

const SECURE = {
  listeners: "SASL_PLAINTEXT://broker:9092",
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
  "connection.failed.authentication.delay.ms": "0",
  "listener.name.sasl_plaintext.plain.sasl.jaas.config":
    'PlainLoginModule required user_admin="secret" user_alice="secret" user_bob="secret" user_carol="secret";',
  "delegation.token.secret.key": "what tokens are made with",
}
const WITH_RULES = { ...SECURE, "authorizer.class.name": "rules", "super.users": "User:admin" }
const DAY_MS = 86_400_000

async function as(started: Started, user: string): Promise<Client> {
  const client = await started.client()
  await client.send(SaslHandshake, 1, { mechanism: "PLAIN" })
  const authBytes = Buffer.from(`\0${user}\0secret`)
  expect(await client.send(SaslAuthenticate, 2, { authBytes })).toMatchObject({ errorCode: ErrorCode.NONE })
  return client
}

interface Wanted {
  readonly owner?: string
  readonly renewers?: readonly string[]
  readonly maxLifetimeMs?: number
}

function create(client: Client, { owner, renewers = [], maxLifetimeMs = -1 }: Wanted = {}) {
  return client.send(CreateDelegationToken, 3, {
    ownerPrincipalType: owner === undefined ? null : "User",
    ownerPrincipalName: owner ?? null,
    renewers: renewers.map((principalName) => ({ principalType: "User", principalName })),
    maxLifetimeMs,
  })
}

type Token = Pick<CreateDelegationTokenResponse, "tokenId" | "hmac">

async function withToken(
  started: Started,
  token: Token,
  mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512" = "SCRAM-SHA-256",
) {
  const client = await started.client()
  await client.send(SaslHandshake, 1, { mechanism })
  const login = { mechanism, user: token.tokenId, password: Buffer.from(token.hmac).toString("base64"), isToken: true }
  const answer = await scramLogin(login, (authBytes) => client.send(SaslAuthenticate, 2, { authBytes }))
  return { client, ...answer }
}

const seen = async (client: Client, owners: readonly string[] | null = null) => {
  const principals = owners?.map((principalName) => ({ principalType: "User", principalName })) ?? null
  return client.send(DescribeDelegationToken, 3, { owners: principals })
}

/** A host whose wall clock is moved. */
function movedClock() {
  let offset = 0
  const clock = { ...nodeHost.clock, now: () => nodeHost.clock.now() + offset }
  Object.setPrototypeOf(clock, nodeHost.clock)
  const host: Host = { ...nodeHost, clock }
  return { host, move: (ms: number) => (offset += ms) }
}

test.each(["SCRAM-SHA-256", "SCRAM-SHA-512"] as const)(
  "who has a token comes in as its owner with %s, and gets no further tokens",
  async (mechanism) => {
    const started = await start(SECURE)
    const alice = await as(started, "alice")
    const token = await create(alice, { renewers: ["bob"] })
    expect(token).toMatchObject({
      ...{ errorCode: ErrorCode.NONE, principalType: "User", principalName: "alice" },
      ...{ tokenRequesterPrincipalType: "User", tokenRequesterPrincipalName: "alice" },
    })
    expect(token.expiryTimestampMs - token.issueTimestampMs).toBe(DAY_MS)
    expect(token.maxTimestampMs - token.issueTimestampMs).toBe(7 * DAY_MS)
    expect((await seen(alice)).tokens).toMatchObject([
      { tokenId: token.tokenId, hmac: token.hmac, renewers: [{ principalType: "User", principalName: "bob" }] },
    ])
    const { client, errorCode, sessionLifetimeMs } = await withToken(started, token, mechanism)
    expect(errorCode).toBe(ErrorCode.NONE)
    // The connection must authenticate again before the token ends.
    expect(sessionLifetimeMs).toBeGreaterThan(DAY_MS - 60_000)
    expect(sessionLifetimeMs).toBeLessThanOrEqual(DAY_MS)
    expect((await client.send(Metadata, 12, { topics: null })).brokers).toHaveLength(1)
    const notAllowed = { errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED }
    expect(await create(client)).toMatchObject(notAllowed)
    expect(await seen(client)).toMatchObject(notAllowed)
    const { hmac } = token
    expect(await client.send(RenewDelegationToken, 2, { hmac, renewPeriodMs: -1 })).toMatchObject(notAllowed)
    expect(await client.send(ExpireDelegationToken, 2, { hmac, expiryTimePeriodMs: -1 })).toMatchObject(notAllowed)
  },
)

test("a wrong HMAC, an unknown token, and a token's id as a user let nobody in", async () => {
  const started = await start(SECURE)
  const token = await create(await as(started, "alice"))
  const failed = { errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED }
  expect(await withToken(started, { ...token, hmac: Buffer.from("other") })).toMatchObject(failed)
  expect(await withToken(started, { ...token, tokenId: "other" })).toMatchObject(failed)
  const client = await started.client()
  await client.send(SaslHandshake, 1, { mechanism: "SCRAM-SHA-256" })
  const login = {
    mechanism: "SCRAM-SHA-256",
    user: token.tokenId,
    password: Buffer.from(token.hmac).toString("base64"),
  } as const
  expect(await scramLogin(login, (authBytes) => client.send(SaslAuthenticate, 2, { authBytes }))).toMatchObject(failed)
})

test("who did not authenticate gets no tokens, and without a secret nobody does", async () => {
  const anonymous = await (await start({ "delegation.token.secret.key": "x" })).client()
  expect(await create(anonymous)).toMatchObject({ errorCode: ErrorCode.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED })
  const alice = await as(await start({ ...SECURE, "delegation.token.secret.key": "" }), "alice")
  const disabled = { errorCode: ErrorCode.DELEGATION_TOKEN_AUTH_DISABLED }
  const hmac = Buffer.from("x")
  expect(await create(alice)).toMatchObject(disabled)
  expect(await seen(alice)).toMatchObject(disabled)
  expect(await alice.send(RenewDelegationToken, 2, { hmac, renewPeriodMs: -1 })).toMatchObject(disabled)
  expect(await alice.send(ExpireDelegationToken, 2, { hmac, expiryTimePeriodMs: -1 })).toMatchObject(disabled)
})

test("owners and renewers are users", async () => {
  const alice = await as(await start(SECURE), "alice")
  const invalid = { errorCode: ErrorCode.INVALID_PRINCIPAL_TYPE }
  const none = { ownerPrincipalType: null, ownerPrincipalName: null, renewers: [], maxLifetimeMs: -1 }
  const group = { principalType: "Group", principalName: "g" }
  expect(await alice.send(CreateDelegationToken, 3, { ...none, renewers: [group] })).toMatchObject(invalid)
  const ofGroup = { ...none, ownerPrincipalType: "Group", ownerPrincipalName: "bob" }
  expect(await alice.send(CreateDelegationToken, 3, ofGroup)).toMatchObject(invalid)
})

test("a token ends unless it is renewed, by its owner or a renewer, and ends for good at its maximum", async () => {
  const { host, move } = movedClock()
  const started = await start(SECURE, { host })
  const [alice, bob, carol] = [await as(started, "alice"), await as(started, "bob"), await as(started, "carol")]
  const token = await create(alice, { renewers: ["bob"], maxLifetimeMs: 2 * DAY_MS })
  const { hmac, maxTimestampMs } = token
  const renew = (client: Client, renewPeriodMs = -1) => client.send(RenewDelegationToken, 2, { hmac, renewPeriodMs })
  expect(await renew(carol)).toMatchObject({ errorCode: ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH })
  expect((await renew(alice, 1000)).expiryTimestampMs).toBeLessThan(token.expiryTimestampMs)
  move(2000)
  expect(await withToken(started, token)).toMatchObject({ errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED })
  expect(await renew(alice)).toMatchObject({ errorCode: ErrorCode.DELEGATION_TOKEN_EXPIRED })

  const other = await create(alice, { renewers: ["bob"], maxLifetimeMs: 2 * DAY_MS })
  move(DAY_MS - 60_000)
  const renewed = await bob.send(RenewDelegationToken, 2, { hmac: other.hmac, renewPeriodMs: 5 * DAY_MS })
  expect(renewed.errorCode).toBe(ErrorCode.NONE)
  move(DAY_MS - 60_000)
  // Renewed for a day, it is good until its maximum, which is less.
  expect(await withToken(started, other)).toMatchObject({ errorCode: ErrorCode.NONE })
  const last = await bob.send(RenewDelegationToken, 2, { hmac: other.hmac, renewPeriodMs: -1 })
  expect(last.expiryTimestampMs).toBe(other.maxTimestampMs)
  expect(other.maxTimestampMs).toBeGreaterThan(maxTimestampMs)
  move(180_000)
  expect(await withToken(started, other)).toMatchObject({ errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED })
})

test("a token is ended at once, or sooner than it would", async () => {
  const started = await start(SECURE)
  const alice = await as(started, "alice")
  const token = await create(alice)
  const expire = (expiryTimePeriodMs: number, hmac = token.hmac) =>
    alice.send(ExpireDelegationToken, 2, { hmac, expiryTimePeriodMs })
  expect(await expire(0, Buffer.from("other"))).toMatchObject({ errorCode: ErrorCode.DELEGATION_TOKEN_NOT_FOUND })
  const sooner = await expire(3_600_000)
  expect(sooner.errorCode).toBe(ErrorCode.NONE)
  expect(sooner.expiryTimestampMs).toBeLessThan(token.expiryTimestampMs)
  expect((await seen(alice)).tokens[0]!.expiryTimestamp).toBe(sooner.expiryTimestampMs)
  expect((await expire(-1)).errorCode).toBe(ErrorCode.NONE)
  expect((await seen(alice)).tokens).toEqual([])
  expect(await withToken(started, token)).toMatchObject({ errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED })
})

test("tokens are there after a restart; once the secret is another, with another HMAC", async () => {
  const started = await start(SECURE)
  const token = await create(await as(started, "alice"))
  await started.broker.close()
  const again = await start(SECURE, { dataDir: started.dataDir })
  expect((await seen(await as(again, "alice"))).tokens).toMatchObject([{ tokenId: token.tokenId, hmac: token.hmac }])
  expect(await withToken(again, token)).toMatchObject({ errorCode: ErrorCode.NONE })
  await again.broker.close()
  const other = await start({ ...SECURE, "delegation.token.secret.key": "another" }, { dataDir: started.dataDir })
  expect(await withToken(other, token)).toMatchObject({ errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED })
  const [seenAgain] = (await seen(await as(other, "alice"))).tokens
  expect(seenAgain).toMatchObject({ tokenId: token.tokenId, expiryTimestamp: token.expiryTimestampMs })
  expect(await withToken(other, seenAgain!)).toMatchObject({ errorCode: ErrorCode.NONE })
})

test("expired tokens are removed", async () => {
  const started = await start({ ...SECURE, "delegation.token.expiry.check.interval.ms": "1" })
  const alice = await as(started, "alice")
  const kept = await create(alice)
  await create(alice, { maxLifetimeMs: 1 })
  await expect.poll(async () => (await seen(alice)).tokens.map(({ tokenId }) => tokenId)).toEqual([kept.tokenId])
})

test("expired tokens are all removed when it is time, however many they are", async () => {
  const { host, move } = movedClock()
  const CHECK_MS = 3_600_001
  let check = () => {}
  const clock: Clock = {
    now: () => host.clock.now(),
    monotonic: () => host.clock.monotonic(),
    setTimer(delayMs, callback, options) {
      if (delayMs !== CHECK_MS) return host.clock.setTimer(delayMs, callback, options)
      check = callback
      return { cancel: () => {} }
    },
  }
  const config = { ...SECURE, "delegation.token.expiry.check.interval.ms": String(CHECK_MS) }
  const started = await start(config, { host: { ...host, clock } })
  const alice = await as(started, "alice")
  const tokens = await Promise.all(Array.from({ length: 1_001 }, () => create(alice)))
  expect(tokens.filter(({ errorCode }) => errorCode === ErrorCode.NONE)).toHaveLength(1_001)
  move(2 * DAY_MS)
  const kept = await create(await as(started, "bob"))
  check()
  await expect.poll(async () => (await seen(alice)).tokens.map(({ tokenId }) => tokenId)).toEqual([kept.tokenId])
})

const FOR_EVER = "9223372036854775807"

test("with the largest settings a token never ends, as long as nobody ends it", async () => {
  const forEver = { "delegation.token.max.lifetime.ms": FOR_EVER, "delegation.token.expiry.time.ms": FOR_EVER }
  const started = await start({ ...SECURE, ...forEver })
  const alice = await as(started, "alice")
  const token = await create(alice, { maxLifetimeMs: INT64_MAX })
  const end = { errorCode: ErrorCode.NONE, expiryTimestampMs: INT64_MAX }
  expect(token).toMatchObject({ ...end, maxTimestampMs: INT64_MAX })
  const { hmac } = token
  const day = await alice.send(RenewDelegationToken, 2, { hmac, renewPeriodMs: DAY_MS })
  expect(day.expiryTimestampMs).toBeLessThan(token.issueTimestampMs + 2 * DAY_MS)
  expect(await alice.send(RenewDelegationToken, 2, { hmac, renewPeriodMs: INT64_MAX })).toMatchObject(end)
  expect(await alice.send(ExpireDelegationToken, 2, { hmac, expiryTimePeriodMs: INT64_MAX })).toMatchObject(end)
  expect((await seen(alice)).tokens).toMatchObject([{ expiryTimestamp: INT64_MAX, maxTimestamp: INT64_MAX }])
  // A connection of such a token need not authenticate again.
  expect(await withToken(started, token)).toMatchObject({ errorCode: ErrorCode.NONE, sessionLifetimeMs: 0 })
  await started.broker.close()
  const again = await start({ ...SECURE, ...forEver }, { dataDir: started.dataDir })
  expect((await seen(await as(again, "alice"))).tokens).toMatchObject([{ maxTimestamp: INT64_MAX }])
  expect([...started.defects, ...again.defects]).toEqual([])
})

test("who is too long to be kept is refused, and the connection goes on", async () => {
  const alice = await as(await start(SECURE), "alice")
  /** With "User:" before it the longest text of the protocol. */
  const longest = "x".repeat(32_762)
  expect(await create(alice, { owner: longest, renewers: [longest] })).toMatchObject({
    ...{ errorCode: ErrorCode.NONE, principalType: "User", principalName: longest },
  })
  const invalid = { errorCode: ErrorCode.INVALID_REQUEST, tokenId: "" }
  expect(await create(alice, { renewers: [`${longest}x`] })).toMatchObject({ ...invalid, principalName: "alice" })
  expect(await create(alice, { owner: `${longest}x` })).toMatchObject({ ...invalid, principalName: "" })
  // Bytes count, of which a character may have three.
  expect(await create(alice, { owner: "€".repeat(10_921) })).toMatchObject(invalid)
  expect((await seen(alice)).tokens).toHaveLength(1)
})

test("rules say who sees the tokens of others, and who makes some for them", async () => {
  const started = await start(WITH_RULES)
  const admin = await as(started, "admin")
  const [alice, bob, carol] = [await as(started, "alice"), await as(started, "bob"), await as(started, "carol")]
  const token = await create(alice, { renewers: ["bob"] })
  const ids = async (client: Client, owners: string[] | null = null) =>
    (await seen(client, owners)).tokens.map(({ tokenId }) => tokenId)
  expect(await ids(alice)).toEqual([token.tokenId])
  expect(await ids(bob)).toEqual([token.tokenId])
  expect(await ids(carol)).toEqual([])
  expect(await ids(admin, ["carol"])).toEqual([])
  expect(await ids(admin, [])).toEqual([])
  expect(await ids(admin, ["carol", "bob"])).toEqual([token.tokenId])
  expect(await create(carol, { owner: "alice" })).toMatchObject({
    errorCode: ErrorCode.DELEGATION_TOKEN_AUTHORIZATION_FAILED,
  })

  const [DELEGATION_TOKEN, USER, LITERAL, ALLOW, DESCRIBE, CREATE_TOKENS] = [6, 7, 3, 3, 8, 13]
  const rule = (principal: string, resourceType: number, resourceName: string, operation: number) => ({
    ...{ resourceType, resourceName, resourcePatternType: LITERAL },
    ...{ principal: `User:${principal}`, host: "*", operation, permissionType: ALLOW },
  })
  const creations = [
    rule("carol", USER, "User:alice", CREATE_TOKENS),
    rule("carol", DELEGATION_TOKEN, token.tokenId, DESCRIBE),
  ]
  expect((await admin.send(CreateAcls, 3, { creations })).results.map(({ errorCode }) => errorCode)).toEqual([0, 0])
  expect(await ids(carol)).toEqual([token.tokenId])
  const forAlice = await create(carol, { owner: "alice" })
  expect(forAlice).toMatchObject({ principalName: "alice", tokenRequesterPrincipalName: "carol" })
  // Who asked for it sees it, and only its owner renews it.
  expect(await ids(carol)).toEqual([token.tokenId, forAlice.tokenId])
  const renewal = { hmac: forAlice.hmac, renewPeriodMs: -1 }
  expect((await carol.send(RenewDelegationToken, 2, renewal)).errorCode).toBe(ErrorCode.DELEGATION_TOKEN_OWNER_MISMATCH)
  expect((await alice.send(RenewDelegationToken, 2, renewal)).errorCode).toBe(ErrorCode.NONE)
})

test("nobody is told the secret", async () => {
  const started = await start(SECURE)
  const alice = await as(started, "alice")
  const { results } = await alice.send(DescribeConfigs, 4, {
    resources: [{ resourceType: 4, resourceName: "1", configurationKeys: null }],
  })
  const rows = new Map(results[0]!.configs.map((row) => [row.name, row]))
  expect(rows.get("delegation.token.secret.key")).toMatchObject({ value: null, isSensitive: true })
  expect(rows.get("delegation.token.max.lifetime.ms")).toMatchObject({ value: "604800000" })
  expect(rows.get("delegation.token.expiry.time.ms")).toMatchObject({ value: "86400000" })
})

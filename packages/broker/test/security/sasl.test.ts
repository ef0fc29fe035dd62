/** SASL through frames: semantics 103 and 104, KIP-43, KIP-152, KIP-368. */
import { ErrorCode } from "@millrace/protocol"
import { AlterUserScramCredentials } from "@millrace/protocol/messages/alter-user-scram-credentials"
import { ApiVersions } from "@millrace/protocol/messages/api-versions"
import { CreateAcls } from "@millrace/protocol/messages/create-acls"
import { DeleteAcls } from "@millrace/protocol/messages/delete-acls"
import { DescribeAcls } from "@millrace/protocol/messages/describe-acls"
import { DescribeUserScramCredentials } from "@millrace/protocol/messages/describe-user-scram-credentials"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { SaslAuthenticate } from "@millrace/protocol/messages/sasl-authenticate"
import { SaslHandshake } from "@millrace/protocol/messages/sasl-handshake"
import { saltedPassword } from "@millrace/protocol/sasl/scram"
import { expect, test } from "vitest"
import { type Client, start } from "../harness.ts"

const SECURE = {
  listeners: "SASL_PLAINTEXT://broker:9092",
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
  "connection.failed.authentication.delay.ms": "0",
  "listener.name.sasl_plaintext.plain.sasl.jaas.config":
    'org.example.PlainLoginModule required user_admin="admin-secret" user_alice="it is; \\"secret\\"";',
}
const WITH_RULES = { ...SECURE, "authorizer.class.name": "rules", "super.users": "User:admin" }

const plain = (user: string, password: string) => Buffer.from(`\0${user}\0${password}`)

async function logIn(client: Client, user = "admin", password = "admin-secret") {
  expect(await client.send(SaslHandshake, 1, { mechanism: "PLAIN" })).toMatchObject({ errorCode: 0 })
  return client.send(SaslAuthenticate, 2, { authBytes: plain(user, password) })
}

test("103: versions may be asked for by anybody; all else closes the connection", async () => {
  const started = await start(SECURE)
  const client = await started.client()
  const { errorCode } = await client.send(ApiVersions, 3, { clientSoftwareName: "t", clientSoftwareVersion: "1" })
  expect(errorCode).toBe(0)
  expect(await client.try(Metadata, 12, { topics: null })).toBeUndefined()
  expect(client.closed).toBe(true)
})

test.each([
  ["admin", "admin-secret"],
  ["alice", 'it is; "secret"'],
])("103: PLAIN lets %s in with the right password", async (user, password) => {
  const client = await (await start(SECURE)).client()
  expect(await logIn(client, user, password)).toMatchObject({ errorCode: 0, sessionLifetimeMs: 0 })
  expect((await client.send(Metadata, 12, { topics: null })).brokers).toHaveLength(1)
})

test.each([
  ["admin", "wrong", "Invalid username or password"],
  ["nobody", "admin-secret", "Invalid username or password"],
  ["", "", "bad message"],
])("103: PLAIN refuses %s with %s, and the connection ends", async (user, password, message) => {
  const started = await start(SECURE)
  const client = await started.client()
  const answer = await logIn(client, user, password)
  expect(answer.errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
  expect(answer.errorMessage).toContain(message)
  await client.whenClosed()
  // The log tells that somebody failed, and never with what.
  expect(started.messages.join()).toContain(message)
  expect(started.messages.join()).not.toContain("admin-secret")
})

test("103: an unknown mechanism is told which there are, and the connection ends", async () => {
  const client = await (await start(SECURE)).client()
  expect(await client.send(SaslHandshake, 1, { mechanism: "GSSAPI" })).toEqual({
    errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM,
    mechanisms: ["PLAIN", "SCRAM-SHA-256"],
  })
  await client.whenClosed()
})

test("103: a message without a handshake is out of turn", async () => {
  const client = await (await start(SECURE)).client()
  const { errorCode } = await client.send(SaslAuthenticate, 2, { authBytes: plain("admin", "admin-secret") })
  expect(errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE)
  await client.whenClosed()
})

test("103: after a handshake of version 0 the mechanism's messages are frames as they are", async () => {
  const client = await (await start(SECURE)).client()
  await client.send(SaslHandshake, 0, { mechanism: "PLAIN" })
  const token = plain("admin", "admin-secret")
  const length = Buffer.alloc(4)
  length.writeInt32BE(token.length)
  client.write([Buffer.concat([length, token])])
  expect(await client.frame()).toHaveLength(0)
  expect((await client.send(Metadata, 12, { topics: null })).brokers).toHaveLength(1)
})

test("103: on a plaintext listener there is no SASL", async () => {
  const client = await (await start()).client()
  const illegal = ErrorCode.ILLEGAL_SASL_STATE
  expect(await client.send(SaslHandshake, 1, { mechanism: "PLAIN" })).toMatchObject({ errorCode: illegal })
  // It is said, and the connection goes on.
  for (let round = 0; round < 2; round++) {
    expect(await client.send(SaslAuthenticate, 2, { authBytes: plain("a", "b") })).toMatchObject({ errorCode: illegal })
  }
})

test("103: an authentication ends; who renews it in time goes on, as the same user by the same mechanism", async () => {
  const started = await start({ ...SECURE, "connections.max.reauth.ms": "3600000" })
  const client = await started.client()
  expect(await logIn(client)).toMatchObject({ errorCode: 0, sessionLifetimeMs: 3_600_000 })
  expect(await logIn(client)).toMatchObject({ errorCode: 0, sessionLifetimeMs: 3_600_000 })
  expect(await client.try(Metadata, 12, { topics: null })).toBeDefined()
  expect(await logIn(client, "alice", 'it is; "secret"')).toMatchObject({
    errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
    errorMessage: "Cannot change principals during re-authentication",
  })
  const other = await started.client()
  await logIn(other)
  expect(await other.send(SaslHandshake, 1, { mechanism: "SCRAM-SHA-256" })).toMatchObject({
    errorCode: ErrorCode.ILLEGAL_SASL_STATE,
  })
})

test("103: who does not renew it is cut off", async () => {
  const client = await (await start({ ...SECURE, "connections.max.reauth.ms": "1" })).client()
  await logIn(client)
  await expect.poll(() => client.try(Metadata, 12, { topics: null })).toBeUndefined()
})

test("SCRAM users are set, described and removed, and are there after a restart", async () => {
  const started = await start(SECURE)
  const client = await started.client()
  await logIn(client)
  const salt = Buffer.from("salty")
  const set = (name: string, iterations: number, mechanism = 1) => ({
    name,
    mechanism,
    iterations,
    salt,
    saltedPassword: Buffer.from(saltedPassword("SCRAM-SHA-256", "pw", salt, 4096)),
  })
  const upsertions = [set("bob", 4096), set("few", 1000), set("odd", 4096, 9), set("two", 4096), set("two", 5000)]
  const deletions = [{ name: "none", mechanism: 1 }]
  const { results } = await client.send(AlterUserScramCredentials, 0, { upsertions, deletions })
  expect(results.map(({ user, errorCode }) => [user, errorCode])).toEqual([
    ["bob", ErrorCode.NONE],
    ["few", ErrorCode.UNACCEPTABLE_CREDENTIAL],
    ["odd", ErrorCode.UNSUPPORTED_SASL_MECHANISM],
    ["two", ErrorCode.DUPLICATE_RESOURCE],
    ["none", ErrorCode.RESOURCE_NOT_FOUND],
  ])
  await started.broker.close()
  const again = await (await start(SECURE, { dataDir: started.dataDir })).client()
  await logIn(again)
  expect(await again.send(DescribeUserScramCredentials, 0, { users: null })).toMatchObject({
    results: [{ user: "bob", errorCode: 0, credentialInfos: [{ mechanism: 1, iterations: 4096 }] }],
  })
  await again.send(AlterUserScramCredentials, 0, { upsertions: [], deletions: [{ name: "bob", mechanism: 1 }] })
  expect(await again.send(DescribeUserScramCredentials, 0, { users: [{ name: "bob" }] })).toMatchObject({
    results: [{ user: "bob", errorCode: ErrorCode.RESOURCE_NOT_FOUND, credentialInfos: [] }],
  })
})

const rule = (principal: string, operation: number, resourceName = "a") => ({
  resourceType: 2,
  resourceName,
  resourcePatternType: 3,
  principal,
  host: "*",
  operation,
  permissionType: 3,
})
const everything = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}

test("104: rules decide what a user sees and does, without a hint at what is not theirs", async () => {
  const started = await start(WITH_RULES)
  const [admin, alice] = [await started.client(), await started.client()]
  await logIn(admin)
  await logIn(alice, "alice", 'it is; "secret"')
  for (const topic of ["a", "b"]) await admin.createTopic(topic)
  const seen = async () => (await alice.send(Metadata, 12, { topics: null })).topics.map(({ name }) => name)
  const asked = async (name: string) =>
    (await alice.send(Metadata, 12, { topics: [{ name }], allowAutoTopicCreation: true })).topics[0]!.errorCode
  expect(await seen()).toEqual([])
  const READ = 3
  expect(await admin.send(CreateAcls, 3, { creations: [rule("User:alice", READ)] })).toMatchObject({
    results: [{ errorCode: 0 }],
  })
  expect(await seen()).toEqual(["a"])
  expect([await asked("a"), await asked("b"), await asked("neither")]).toEqual([
    ErrorCode.NONE,
    ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ])
  expect(await alice.produce("a", null)).toMatchObject({ errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED })
  const refused = { errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }
  expect(await alice.send(DescribeAcls, 3, everything)).toMatchObject(refused)
  expect(await alice.send(CreateAcls, 3, { creations: [rule("User:alice", 2)] })).toMatchObject({ results: [refused] })
  expect(await alice.send(DeleteAcls, 3, { filters: [everything] })).toMatchObject({ filterResults: [refused] })
})

test("rules are described by resource, made once, removed by filter, and there after a restart", async () => {
  const started = await start(WITH_RULES)
  const admin = await started.client()
  await logIn(admin)
  const creations = [
    rule("User:alice", 3),
    rule("User:bob", 4),
    rule("User:bob", 4),
    rule("alice", 3),
    rule("User:x", 77),
  ]
  const { results } = await admin.send(CreateAcls, 3, { creations })
  expect(results.map(({ errorCode }) => errorCode)).toEqual([
    0,
    0,
    0,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.INVALID_REQUEST,
  ])
  await started.broker.close()
  const again = await (await start(WITH_RULES, { dataDir: started.dataDir })).client()
  await logIn(again)
  const { resources } = await again.send(DescribeAcls, 3, everything)
  expect(resources).toMatchObject([
    {
      resourceType: 2,
      resourceName: "a",
      patternType: 3,
      acls: [{ principal: "User:alice" }, { principal: "User:bob" }],
    },
  ])
  const removed = await again.send(DeleteAcls, 3, { filters: [{ ...everything, principalFilter: "User:bob" }] })
  expect(removed.filterResults).toMatchObject([
    { errorCode: 0, matchingAcls: [{ principal: "User:bob", operation: 4 }] },
  ])
  expect((await again.send(DescribeAcls, 3, everything)).resources[0]!.acls).toHaveLength(1)
})

test("without an authorizer there are no rules to ask for", async () => {
  const client = await (await start()).client()
  expect(await client.send(DescribeAcls, 3, everything)).toMatchObject({ errorCode: ErrorCode.SECURITY_DISABLED })
})

test.each([
  [{ listeners: "SSL://broker:9092" }, "config ssl.keystore.location: listener SSL needs a certificate"],
  [{ listeners: "SSL://broker:9092", "ssl.keystore.location": "/nowhere.pem" }, "cannot read /nowhere.pem"],
  [{ listeners: "SASL_PLAINTEXT://broker:9092" }, "config sasl.enabled.mechanisms: listener SASL_PLAINTEXT needs one"],
  [{ listeners: "SASL_PLAINTEXT://broker:9092", "sasl.enabled.mechanisms": "PLAIN" }, "names no users"],
  [
    { "listener.name.other.ssl.client.auth": "none" },
    "config listener.name.other.ssl.client.auth: there is no listener",
  ],
  [{ "listener.name.plaintext.log.dirs": "x" }, "log.dirs cannot be set for one listener"],
])("%o does not start", async (config, message) => {
  await expect(start(config as unknown as Record<string, string>)).rejects.toThrow(message)
})

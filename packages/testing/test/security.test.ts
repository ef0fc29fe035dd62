/** Our client and our broker over TLS and SASL: whoever is let in works as in the clear, whoever is not is told why. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type ClientSecurity, KafkaClient } from "@millrace/client"
import { clientSecurity } from "@millrace/client/security"
import { nodeHost } from "@millrace/host/node"
import { beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { authority, client as aliceCertificate, server, stranger } from "../src/certificates.ts"
import { embeddedBroker } from "../src/index.ts"

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "millrace-security-"))
  const files = {
    "server.pem": server.key + server.cert,
    "ca.pem": authority,
    "alice.pem": aliceCertificate.key + aliceCertificate.cert,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text)
  return () => rmSync(directory, { recursive: true, force: true })
})

async function broker(listener: string, config: Record<string, string> = {}) {
  const started = await embeddedBroker({
    config: {
      listeners: `${listener}://127.0.0.1:0`,
      "ssl.keystore.location": join(directory, "server.pem"),
      "ssl.truststore.location": join(directory, "ca.pem"),
      "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
      "connection.failed.authentication.delay.ms": "0",
      [`listener.name.${listener.toLowerCase()}.plain.sasl.jaas.config`]:
        'PlainLoginModule required user_admin="admin-secret";',
      ...config,
    },
  })
  onTestFinished(() => started.close())
  return started.brokers
}

function connect(brokers: string, security: ClientSecurity): KafkaClient {
  const client = new KafkaClient({ host: nodeHost, brokers, security, defaultApiTimeoutMs: 3_000 })
  onTestFinished(() => client.close())
  return client
}

const plain = { sasl: { mechanism: "PLAIN", username: "admin", password: "admin-secret" } } as const
const trusting = { tls: { ca: authority, checksHost: true } }

async function roundTrip(client: KafkaClient): Promise<string[]> {
  await client.admin().createTopics([{ name: "t", partitions: 1 }], { ifNotExists: true })
  const producer = client.producer()
  producer.send({ topic: "t", key: null, value: Buffer.from("x".repeat(200_000)) })
  producer.send({ topic: "t", key: null, value: Buffer.from("y") })
  await producer.flush()
  const consumer = client.consumer({ autoOffsetReset: "earliest" })
  consumer.assign([{ topic: "t", partition: 0 }])
  const values: string[] = []
  while (values.length < 2) {
    for (const fetched of await consumer.poll(1_000))
      fetched.forEach((record) => values.push(Buffer.from(record.value()!).toString()))
  }
  await consumer.close()
  await producer.close()
  return values
}

test("produces and consumes over TLS", async () => {
  expect(await roundTrip(connect(await broker("SSL"), trusting))).toEqual(["x".repeat(200_000), "y"])
})

test("logs in with a delegation token, made for a while by whoever has the password", async () => {
  const brokers = await broker("SASL_SSL", { "delegation.token.secret.key": "what tokens are made with" })
  const admin = connect(brokers, { ...trusting, ...plain }).admin()
  const token = await admin.createDelegationToken({ renewers: ["User:bob"], maxLifetimeMs: 60_000 })
  expect(token).toMatchObject({ owner: "User:admin", requester: "User:admin", renewers: ["User:bob"] })
  expect(token.maxTimestamp - token.issueTimestamp).toBe(60_000)
  expect(await admin.describeDelegationTokens()).toEqual([token])
  expect(await admin.describeDelegationTokens(["User:carol"])).toEqual([])
  // As Java's tools write it.
  const settings = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-256",
    "sasl.jaas.config": `ScramLoginModule required username="${token.tokenId}" password="${token.hmac}" tokenauth="true";`,
    "ssl.truststore.certificates": authority,
  }
  const ofToken = connect(brokers, clientSecurity(settings, String))
  expect(await roundTrip(ofToken)).toEqual(["x".repeat(200_000), "y"])
  await expect(ofToken.admin().createDelegationToken()).rejects.toThrow("DELEGATION_TOKEN_REQUEST_NOT_ALLOWED")
  expect(await admin.renewDelegationToken(token.hmac, 30_000)).toBeLessThan(token.maxTimestamp)
  await admin.expireDelegationToken(token.hmac)
  expect(await admin.describeDelegationTokens()).toEqual([])
  const late = connect(brokers, clientSecurity(settings, String))
  await expect(late.admin().describeCluster()).rejects.toThrow("SASL_AUTHENTICATION_FAILED")
})

test("goes on over TLS with SASL past the time that an authentication is good for", async () => {
  const lifetimeMs = 600
  const client = connect(await broker("SASL_SSL", { "connections.max.reauth.ms": String(lifetimeMs) }), {
    ...trusting,
    ...plain,
  })
  await client.admin().createTopics([{ name: "t", partitions: 1 }])
  const producer = client.producer()
  const consumer = client.consumer({ autoOffsetReset: "earliest" })
  consumer.assign([{ topic: "t", partition: 0 }])
  const values: string[] = []
  let sent = 0
  const until = performance.now() + 3 * lifetimeMs
  while (performance.now() < until || values.length < sent) {
    if (performance.now() < until) await producer.send({ topic: "t", key: null, value: Buffer.from(String(sent++)) })
    for (const fetched of await consumer.poll(10))
      fetched.forEach((record) => values.push(Buffer.from(record.value()!).toString()))
  }
  expect(values).toEqual(Array.from({ length: sent }, (_, index) => String(index)))
  await consumer.close()
  await producer.close()
})

test("a certificate is who the client is, as the rules say", async () => {
  const config = {
    "ssl.client.auth": "required",
    "ssl.principal.mapping.rules": "RULE:^CN=(.*?),.*$/$1/",
    "authorizer.class.name": "rules",
    "super.users": "User:alice",
  }
  const brokers = await broker("SSL", config)
  const settings = {
    "security.protocol": "SSL",
    "ssl.truststore.location": "ca.pem",
    "ssl.keystore.location": "alice.pem",
  }
  const security = clientSecurity(settings, (path) =>
    path === "ca.pem" ? authority : aliceCertificate.key + aliceCertificate.cert,
  )
  expect(await roundTrip(connect(brokers, security))).toHaveLength(2)
  const other = connect(brokers, { tls: { ...trusting.tls, identity: stranger } })
  await expect(other.admin().listTopics()).rejects.toThrow(/within 3000 ms/)
})

describe("SCRAM", () => {
  test.each(["SCRAM-SHA-256", "SCRAM-SHA-512"] as const)("%s: users of the metadata log", async (mechanism) => {
    const brokers = await broker("SASL_PLAINTEXT")
    const admin = connect(brokers, plain)
    await admin.admin().alterScramCredentials([{ user: "bob, or =b", mechanism, password: "bob's" }])
    expect(await admin.admin().describeScramCredentials()).toEqual([
      { user: "bob, or =b", credentials: [{ mechanism, iterations: 4096 }] },
    ])
    const bob = { sasl: { mechanism, username: "bob, or =b", password: "bob's" } }
    expect(await roundTrip(connect(brokers, bob))).toHaveLength(2)
    const wrong = { sasl: { ...bob.sasl, password: "alice's" } }
    await expect(connect(brokers, wrong).admin().listTopics()).rejects.toThrow(
      `invalid credentials with SASL mechanism ${mechanism}`,
    )
  })
})

test.each<[string, ClientSecurity, string]>([
  ["the wrong password", { sasl: { ...plain.sasl, password: "no" } }, "SASL_AUTHENTICATION_FAILED"],
  [
    "a mechanism that is not offered",
    { sasl: { mechanism: "OAUTHBEARER", token: () => "t" } },
    "the broker has: PLAIN",
  ],
])("%s is told at once", async (_, security, message) => {
  const client = connect(await broker("SASL_PLAINTEXT"), security)
  await expect(client.admin().listTopics()).rejects.toThrow(message)
})

test.each([
  [{ "security.protocol": "SASL_SSL" }, "config sasl.mechanism: SASL_SSL needs one"],
  [{ "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN" }, "PLAIN needs a username and a password"],
  [{ "security.protocol": "TLS" }, "security.protocol"],
  [{ "security.protocol": "SSL", "ssl.truststore.location": "none.pem" }, "/none.pem: no such file"],
  [
    { "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": "username=alice" },
    "config sasl.jaas.config must have the form",
  ],
])("%o is refused", (settings, message) => {
  const read = () => {
    throw new Error("no such file")
  }
  expect(() => clientSecurity(settings as unknown as Record<string, string>, read)).toThrow(message)
})

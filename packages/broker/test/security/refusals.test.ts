/** Who is not let in, or not allowed something, is counted and told of: by user, listener, operation and resource. */
import { ErrorCode } from "@millrace/protocol"
import { ListGroups } from "@millrace/protocol/messages/list-groups"
import { Metadata } from "@millrace/protocol/messages/metadata"
import { SaslAuthenticate } from "@millrace/protocol/messages/sasl-authenticate"
import { SaslHandshake } from "@millrace/protocol/messages/sasl-handshake"
import { prometheusText } from "@millrace/metrics"
import { expect, test } from "vitest"
import { BROKER_METRICS } from "../../src/metrics/table.ts"
import type { ServerEvent } from "../../src/server-log.ts"
import { batch, type Client, start } from "../harness.ts"

const DELAY_MS = 150
const SECURE = {
  listeners: "SASL_PLAINTEXT://broker:9092",
  "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256",
  "connection.failed.authentication.delay.ms": String(DELAY_MS),
  "listener.name.sasl_plaintext.plain.sasl.jaas.config":
    'PlainLoginModule required user_admin="admin-secret" user_bob="bob-secret";',
  "authorizer.class.name": "rules",
  "super.users": "User:admin",
}

async function guarded() {
  const told: { message: string; event: ServerEvent }[] = []
  const started = await start(SECURE, { log: (message, event) => told.push({ message, event }) })
  const metrics = async () => prometheusText(BROKER_METRICS, [{ labels: {}, source: await started.broker.metrics() }])
  return { started, metrics, of: (name: string) => told.filter(({ event }) => event.event === name) }
}

async function logIn(client: Client, user: string, password: string) {
  expect(await client.send(SaslHandshake, 1, { mechanism: "PLAIN" })).toMatchObject({ errorCode: 0 })
  return client.send(SaslAuthenticate, 2, { authBytes: Buffer.from(`\0${user}\0${password}`) })
}

test("failed logins name user and listener, are told once and counted all", async () => {
  const { started, metrics, of } = await guarded()
  for (const user of ["bob", "bob", "eve\nconnection of 10.0.0.1", "bob"]) {
    const client = await started.client()
    expect((await logIn(client, user, "guess")).errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
    await client.whenClosed()
  }
  const failures = of("authentication-failed")
  expect(failures.map(({ event }) => event["user"])).toEqual(["bob", '"eve\\nconnection of 10.0.0.1"'])
  expect(failures[0]!.event).toMatchObject({ level: "warn", listener: "SASL_PLAINTEXT" })
  expect(failures[0]!.message).toMatch(
    /^connection of \S+ on listener SASL_PLAINTEXT is not let in as bob: Authentication failed: Invalid username or password$/,
  )
  expect(await metrics()).toContain('failed_authentications_total{listener="SASL_PLAINTEXT"} 4\n')
})

test("SCRAM tells for whom it failed", async () => {
  const { started, of } = await guarded()
  const client = await started.client()
  await client.send(SaslHandshake, 1, { mechanism: "SCRAM-SHA-256" })
  await client.send(SaslAuthenticate, 2, { authBytes: Buffer.from("n,,n=carol,r=abc") })
  expect(of("authentication-failed").map(({ event }) => event["user"])).toEqual(["carol"])
})

test("an unknown mechanism is answered as late as a wrong password, and counted", async () => {
  const { started, metrics, of } = await guarded()
  const client = await started.client()
  const before = performance.now()
  const { errorCode } = await client.send(SaslHandshake, 1, { mechanism: "GSSAPI" })
  expect(errorCode).toBe(ErrorCode.UNSUPPORTED_SASL_MECHANISM)
  expect(performance.now() - before).toBeGreaterThan(DELAY_MS - 10)
  await client.whenClosed()
  expect(of("authentication-failed").map(({ event }) => event["reason"])).toEqual([
    'SASL mechanism "GSSAPI": unsupported mechanism',
  ])
  expect(await metrics()).toContain('failed_authentications_total{listener="SASL_PLAINTEXT"} 1\n')
})

test("what no rule allows is told once for each right, and counted; what is filtered away is not", async () => {
  const { started, metrics, of } = await guarded()
  const admin = await started.client()
  await logIn(admin, "admin", "admin-secret")
  await admin.createTopic("t")
  const bob = await started.client()
  await logIn(bob, "bob", "bob-secret")
  expect((await bob.send(Metadata, 12, { topics: null })).topics).toEqual([])
  await bob.send(ListGroups, 4, { statesFilter: [] })
  expect(of("authorization-denied")).toEqual([])
  for (let count = 0; count < 3; count++)
    expect((await bob.produce("t", batch(["a"]))).errorCode).toBe(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
  const denials = of("authorization-denied")
  expect(denials).toHaveLength(1)
  expect(denials[0]!.event).toMatchObject({
    ...{ level: "info", principal: "User:bob", operation: "WRITE", resource: "TOPIC", name: "t" },
  })
  expect(denials[0]!.message).toMatch(/^denied to User:bob from \S+: WRITE of TOPIC t$/)
  expect(await metrics()).toContain('authorization_denials_total{operation="WRITE",resource="TOPIC"} 3\n')
})
